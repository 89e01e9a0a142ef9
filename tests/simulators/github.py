"""GitHub's REST API as far as a collector needs it, in memory.

As the real one it leaves out what the token may not see, or says 404 "Not Found"; answers 422 to a filter for owners
only; knows two kinds of 404 for a branch's protection; and gives pages by `page` and `per_page` with a Link header.
A token is an `owner` of the organisation, a `member`, or a `stranger`, who is shown public members only. Repositories
under `hidden` exist and are counted, and no token reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.simulators.github_states import drift, repair, start
from tests.simulators.server import Answer, Asked, Simulator

__all__ = ["GithubSimulator", "drift", "repair", "start"]

_OWNER_ONLY = ("two_factor_requirement_enabled", "total_private_repos", "plan", "default_repository_permission")
_DOCS = "https://docs.github.com/rest"


class GithubSimulator(Simulator):
    """One organisation."""

    routes: ClassVar[Mapping[str, str]] = {
        "/orgs/{org}": "organisation",
        "/orgs/{org}/members": "members",
        "/orgs/{org}/outside_collaborators": "outside_collaborators",
        "/orgs/{org}/repos": "repositories",
        "/orgs/{org}/rulesets": "rulesets",
        "/repos/{owner}/{repo}/branches/{branch}/protection": "protection",
        "/repos/{owner}/{repo}/rules/branches/{branch}": "rules",
    }

    def page_of(self, asked: Asked) -> int:
        return int(asked.query.get("page", 1))

    def refusal(self, asked: Asked) -> Answer | None:
        if not asked.header("User-Agent"):
            return self.error(403, "Request forbidden by administrative rules.")
        return None if self._role(asked) else self.error(401, "Bad credentials")

    def error(self, status: int, message: str) -> Answer:
        return Answer(status, {"message": message, "documentation_url": _DOCS, "status": str(status)})

    def organisation(self, asked: Asked, org: str) -> Answer:
        if org != self.state["organisation"]["login"]:
            return self.error(404, "Not Found")
        hidden = () if self._role(asked) == "owner" else _OWNER_ONLY
        counts = [row["private"] for row in [*self.state["repositories"], *self.state.get("hidden", ())]]
        seen = {**self.state["organisation"], "public_repos": counts.count(False)}
        seen["total_private_repos"] = counts.count(True)
        return Answer(200, {key: value for key, value in seen.items() if key not in hidden})

    def members(self, asked: Asked, org: str) -> Answer:
        chosen = self.state["members"]
        if self._role(asked) == "stranger":
            chosen = [member for member in chosen if member["public"]]
        if asked.query.get("role", "all") != "all":
            chosen = [member for member in chosen if member["role"] == asked.query["role"]]
        if asked.query.get("filter", "all") == "2fa_disabled":
            if self._role(asked) != "owner":
                return self.error(422, "Only owners can use this filter.")
            chosen = [member for member in chosen if not member["two_factor"]]
        return self._listing(asked, [_user(member) for member in chosen])

    def outside_collaborators(self, asked: Asked, org: str) -> Answer:
        return self._listing(asked, [_user(person) for person in self.state["outside_collaborators"]])

    def repositories(self, asked: Asked, org: str) -> Answer:
        hidden = {"branches", "security_and_analysis"} if self._role(asked) != "owner" else {"branches"}
        chosen = self.state["repositories"]
        if self._role(asked) == "stranger":
            chosen = [repository for repository in chosen if not repository["private"]]
        return self._listing(asked, [_without(repository, hidden) for repository in chosen])

    def rulesets(self, asked: Asked, org: str) -> Answer:
        if self._role(asked) != "owner":
            return self.error(404, "Not Found")
        return self._listing(asked, self.state["rulesets"])

    def protection(self, asked: Asked, owner: str, repo: str, branch: str) -> Answer:
        repository = self._repository(f"{owner}/{repo}")
        if repository is None or self._role(asked) != "owner":
            return self.error(404, "Not Found")
        if branch not in repository["branches"]:
            return self.error(404, "Branch not found")
        found = self.state["protection"].get(f"{owner}/{repo}", {}).get(branch)
        return Answer(200, found) if found else self.error(404, "Branch not protected")

    def rules(self, asked: Asked, owner: str, repo: str, branch: str) -> Answer:
        if self._repository(f"{owner}/{repo}") is None:
            return self.error(404, "Not Found")
        return self._listing(asked, self.state["rules"].get(f"{owner}/{repo}", {}).get(branch, []))

    def _role(self, asked: Asked) -> str | None:
        return self.state["tokens"].get(asked.header("Authorization").removeprefix("Bearer "))

    def _repository(self, full_name: str) -> dict[str, Any] | None:
        return next((found for found in self.state["repositories"] if found["full_name"] == full_name), None)

    def _listing(self, asked: Asked, items: list[Any]) -> Answer:
        size = self.size(asked, "per_page", default=30, most=100)
        page, last = self.page_of(asked), max(1, -(-len(items) // size))
        targets = {"next": page + 1, "last": last} if page < last else {}
        links = [f'<{self.url}{asked.with_query(page=at)}>; rel="{rel}"' for rel, at in targets.items()]
        headers = (("Link", ", ".join(links)),) if links else ()
        return Answer(200, items[(page - 1) * size : page * size], headers)


def _user(person: dict[str, Any]) -> dict[str, Any]:
    return {
        "login": person["login"],
        "id": person["id"],
        "node_id": f"U_{person['id']}",
        "type": "User",
        "site_admin": False,
    }


def _without(row: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in hidden}
