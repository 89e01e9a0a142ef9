"""Example Ltd at GitHub.

`start`: the leaver is still a member; data-pipeline is not protected; website is protected by a ruleset only; legacy
is archived; new-service has no commit yet. `drift`: tony.hoare is an owner without 2FA, 2FA is no longer required,
infrastructure has lost its protection, data-pipeline is public. `repair`: the leaver is gone, data-pipeline is
protected.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.simulators.company import LEAVER, PEOPLE, Person, instant

ORGANISATION = "example"
TOKENS = {"github-owner-token": "owner", "github-member-token": "member", "github-stranger-token": "stranger"}
_OWNERS = {"ada.lovelace", "barbara.liskov"}
_MEMBERS = {
    "grace.hopper",
    "alan.turing",
    "mary.jackson",
    "margaret.hamilton",
    "katherine.johnson",
    "frances.allen",
    LEAVER,
}
_PUBLIC = {"grace.hopper", "alan.turing"}


def start(now: datetime) -> dict[str, Any]:
    """GitHub as it is found."""
    return {
        "tokens": dict(TOKENS),
        "organisation": _organisation(now),
        "members": [
            *(_member(person) for person in PEOPLE if person.local in _OWNERS | _MEMBERS),
            {"login": "example-ci-bot", "id": 9000, "role": "member", "two_factor": True, "public": False},
        ],
        "outside_collaborators": [{"login": person.login, "id": _id(person)} for person in PEOPLE if _outside(person)],
        "repositories": _repositories(now),
        "protection": {
            "example/platform": {"main": _protection("example/platform", approvals=2)},
            "example/infrastructure": {"release/stable": _protection("example/infrastructure", approvals=1)},
        },
        "rulesets": [_ruleset(now, 71, "Reviewed changes"), _ruleset(now, 72, "Trial", enforcement="evaluate")],
        "rules": {
            "example/website": {"main": [_rule("pull_request", approvals=1), _rule("non_fast_forward")]},
            "example/platform": {"main": [_rule("pull_request", approvals=1), _rule("deletion")]},
        },
    }


def drift(now: datetime) -> dict[str, Any]:
    """What got worse since `start`."""
    state = start(now)
    newcomer = next(person for person in PEOPLE if person.local == "tony.hoare")
    state["members"].append({**_member(newcomer), "role": "admin", "two_factor": False})
    state["organisation"]["two_factor_requirement_enabled"] = False
    del state["protection"]["example/infrastructure"]
    repository = _named(state, "example/data-pipeline")
    repository.update(private=False, visibility="public")
    return state


def repair(now: datetime) -> dict[str, Any]:
    """What was put right since `start`."""
    state = start(now)
    leaver = next(person for person in PEOPLE if person.local == LEAVER)
    state["members"] = [member for member in state["members"] if member["login"] != leaver.login]
    state["protection"]["example/data-pipeline"] = {"main": _protection("example/data-pipeline", approvals=1)}
    return state


def _named(state: dict[str, Any], full_name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in state["repositories"] if row["full_name"] == full_name)
    return found


def _id(person: Person) -> int:
    return 1000 + person.number


def _outside(person: Person) -> bool:
    return person.kind == "Contractor"


def _member(person: Person) -> dict[str, Any]:
    return {
        "login": person.login,
        "id": _id(person),
        "role": "admin" if person.local in _OWNERS else "member",
        "two_factor": True,
        "public": person.local in _PUBLIC,
    }


def _organisation(now: datetime) -> dict[str, Any]:
    return {
        "login": ORGANISATION,
        "id": 500,
        "name": "Example Ltd",
        "type": "Organization",
        "two_factor_requirement_enabled": True,
        "default_repository_permission": "read",
        "members_can_create_repositories": True,
        "members_can_create_public_repositories": False,
        "members_can_create_private_repositories": True,
        "members_can_fork_private_repositories": False,
        "members_can_change_repo_visibility": False,
        "members_can_delete_repositories": False,
        "members_can_invite_outside_collaborators": False,
        "web_commit_signoff_required": False,
        "plan": {"name": "team", "space": 976562499, "private_repos": 999999},
        "created_at": instant(now, 2900)[:19] + "Z",
        "updated_at": instant(now, 30)[:19] + "Z",
    }


def _repositories(now: datetime) -> list[dict[str, Any]]:
    return [
        _repository(now, 1, "platform"),
        _repository(now, 2, "website", private=False),
        _repository(now, 3, "data-pipeline"),
        _repository(now, 4, "infrastructure", branch="release/stable"),
        _repository(now, 5, "legacy", archived=True, pushed=900),
        _repository(now, 6, "new-service", branches=()),
    ]


def _repository(
    now: datetime,
    number: int,
    name: str,
    *,
    private: bool = True,
    archived: bool = False,
    branch: str = "main",
    branches: tuple[str, ...] | None = None,
    pushed: int = 2,
) -> dict[str, Any]:
    """`branches` is what exists; GitHub names the default branch of an empty repository all the same."""
    scanning = "disabled" if archived else "enabled"
    return {
        "id": 7000 + number,
        "name": name,
        "full_name": f"{ORGANISATION}/{name}",
        "owner": {"login": ORGANISATION, "id": 500, "type": "Organization"},
        "private": private,
        "visibility": "private" if private else "public",
        "archived": archived,
        "disabled": False,
        "fork": False,
        "is_template": False,
        "default_branch": branch,
        "allow_forking": False,
        "web_commit_signoff_required": False,
        "created_at": instant(now, 1000)[:19] + "Z",
        "updated_at": instant(now, pushed)[:19] + "Z",
        "pushed_at": instant(now, pushed)[:19] + "Z",
        "security_and_analysis": {
            "secret_scanning": {"status": scanning},
            "secret_scanning_push_protection": {"status": scanning},
            "dependabot_security_updates": {"status": scanning},
        },
        "branches": list((branch,) if branches is None else branches),
    }


def _protection(full_name: str, *, approvals: int) -> dict[str, Any]:
    return {
        "url": f"https://api.github.com/repos/{full_name}/branches/main/protection",
        "required_pull_request_reviews": {
            "dismiss_stale_reviews": True,
            "require_code_owner_reviews": approvals > 1,
            "require_last_push_approval": False,
            "required_approving_review_count": approvals,
        },
        "required_status_checks": {"strict": True, "contexts": ["ci"], "checks": [{"context": "ci", "app_id": None}]},
        "enforce_admins": {"enabled": True},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
        "required_linear_history": {"enabled": False},
        "required_signatures": {"enabled": False},
    }


def _ruleset(now: datetime, number: int, name: str, *, enforcement: str = "active") -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "target": "branch",
        "source_type": "Organization",
        "source": ORGANISATION,
        "enforcement": enforcement,
        "created_at": instant(now, 400),
        "updated_at": instant(now, 100),
    }


def _rule(kind: str, *, approvals: int | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {"type": kind, "ruleset_id": 71, "ruleset_source_type": "Organization"}
    rule["ruleset_source"] = ORGANISATION
    if approvals is not None:
        rule["parameters"] = {
            "required_approving_review_count": approvals,
            "dismiss_stale_reviews_on_push": True,
            "require_code_owner_review": False,
            "require_last_push_approval": False,
            "required_review_thread_resolution": False,
        }
    return rule
