"""Okta's management API as far as a collector needs it, in memory.

As the real one it leaves deprovisioned users out of a plain listing; gives the System Log a next link even after its
last event; sends its Link headers one by one; refuses roles and API tokens to a read-only administrator; and has
the next page of role assignees in the answer, not in a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.simulators.okta_states import drift, repair, start
from tests.simulators.server import Answer, Asked, Simulator

__all__ = ["OktaSimulator", "drift", "repair", "start"]

_ERRORS = {401: "E0000011", 403: "E0000006", 404: "E0000007", 429: "E0000047", 500: "E0000009", 400: "E0000031"}
_CURSOR = "cursor"


class OktaSimulator(Simulator):
    """One organisation."""

    routes: ClassVar[Mapping[str, str]] = {
        "/api/v1/users": "users",
        "/api/v1/users/{user}/factors": "factors",
        "/api/v1/users/{user}/roles": "roles",
        "/api/v1/iam/assignees/users": "assignees",
        "/api/v1/apps": "apps",
        "/api/v1/policies": "policies",
        "/api/v1/policies/{policy}/rules": "rules",
        "/api/v1/api-tokens": "api_tokens",
        "/api/v1/logs": "logs",
    }

    def page_of(self, asked: Asked) -> int:
        return int(asked.query.get("after", f"{_CURSOR}1-0").removeprefix(_CURSOR).partition("-")[0])

    def refusal(self, asked: Asked) -> Answer | None:
        return None if self._administrator(asked) else self.error(401, "Invalid token provided")

    def error(self, status: int, message: str) -> Answer:
        code = _ERRORS.get(status, "E0000001")
        body = {"errorCode": code, "errorSummary": message, "errorLink": code, "errorId": "oae-1", "errorCauses": []}
        return Answer(status, body)

    def users(self, asked: Asked) -> Answer:
        wanted = asked.query.get("filter")
        if wanted not in (None, 'status eq "DEPROVISIONED"'):
            return self.error(400, "Invalid search criteria.")
        gone = wanted is not None
        chosen = [user for user in self.state["users"] if (user["status"] == "DEPROVISIONED") == gone]
        return self._listing(asked, chosen, default=200, most=200)

    def factors(self, asked: Asked, user: str) -> Answer:
        return self._of_user(asked, user, "factors")

    def roles(self, asked: Asked, user: str) -> Answer:
        return self._super_only(asked) or self._of_user(asked, user, "roles")

    def assignees(self, asked: Asked) -> Answer:
        """Those who hold a role themselves; who holds one through a group is not among them, to be on the safe side."""
        refused = self._super_only(asked)
        if refused:
            return refused
        own = {user for user, held in self.state["roles"].items() if any(r["assignmentType"] == "USER" for r in held)}
        items, after = self._page(asked, [{"id": user} for user in sorted(own)], default=100, most=100)
        links = {"next": {"href": f"{self.url}{asked.with_query(after=after)}"}} if after else {}
        return Answer(200, {"value": items, "_links": links})

    def apps(self, asked: Asked) -> Answer:
        every = asked.query.get("includeNonDeleted") == "true"
        chosen = [app for app in self.state["apps"] if every or app["status"] == "ACTIVE"]
        return self._listing(asked, chosen, default=20, most=200)

    def policies(self, asked: Asked) -> Answer:
        chosen = [policy for policy in self.state["policies"] if policy["type"] == asked.query.get("type")]
        return self._listing(asked, chosen, default=20, most=20)

    def rules(self, asked: Asked, policy: str) -> Answer:
        found = self.state["rules"].get(policy)
        return self.error(404, "Not found: Resource not found") if found is None else self._listing(asked, found)

    def api_tokens(self, asked: Asked) -> Answer:
        return self._super_only(asked) or self._listing(asked, self.state["api_tokens"])

    def logs(self, asked: Asked) -> Answer:
        since, until = asked.query.get("since", ""), asked.query.get("until", "9")
        chosen = [event for event in self.state["events"] if since <= event["published"] < until]
        items, after = self._page(asked, chosen, default=100, most=1000)
        return Answer(200, items, self._links(asked, after or f"{_CURSOR}{self.page_of(asked) + 1}-{len(chosen)}"))

    def _administrator(self, asked: Asked) -> str | None:
        return self.state["tokens"].get(asked.header("Authorization").removeprefix("SSWS "))

    def _super_only(self, asked: Asked) -> Answer | None:
        allowed = self._administrator(asked) == "super"
        return None if allowed else self.error(403, "You do not have permission to perform the requested action")

    def _of_user(self, asked: Asked, user: str, what: str) -> Answer:
        if all(user != known["id"] for known in self.state["users"]):
            return self.error(404, f"Not found: Resource not found: {user} (User)")
        return Answer(200, self.state[what].get(user, []))

    def _listing(self, asked: Asked, items: list[Any], *, default: int = 1000, most: int = 1000) -> Answer:
        page, after = self._page(asked, items, default=default, most=most)
        return Answer(200, page, self._links(asked, after))

    def _page(self, asked: Asked, items: list[Any], *, default: int, most: int) -> tuple[list[Any], str]:
        """One page, and the cursor of the next: its number and where it begins."""
        size = self.size(asked, "limit", default=default, most=most)
        begin = int(asked.query.get("after", f"{_CURSOR}1-0").partition("-")[2])
        end = begin + size
        return items[begin:end], f"{_CURSOR}{self.page_of(asked) + 1}-{end}" if end < len(items) else ""

    def _links(self, asked: Asked, after: str) -> tuple[tuple[str, str], ...]:
        links = [("Link", f'<{self.url}{asked.with_query()}>; rel="self"')]
        if after:
            links.append(("Link", f'<{self.url}{asked.with_query(after=after)}>; rel="next"'))
        return tuple(links)
