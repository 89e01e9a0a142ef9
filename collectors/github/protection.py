"""How the default branch of each repository is protected: by a classic protection, by rulesets, or not.

Rules:
- "Branch not protected" is GitHub's documented 404 for a branch without classic protection. Any other 404, above all
  the "Not Found" that a token without admin rights gets, says nothing about the branch: it is a flaw of the table.
- A repository without any commit names a default branch that is not there: `branch_exists` is false and `protected`
  null. Rulesets apply to it all the same, and are asked for.
- Archived repositories are read-only and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from annexa.sdk import Json, NotFound, Row, Strings, Unreadable

from .organisation import PAGE_SIZE, Organisation, github
from .repositories import listed

_REVIEWS = "protection.required_pull_request_reviews"


@github.table(
    "github_branch_protection",
    key=("repository", "branch"),
    permissions=["Repository permissions: Administration (read), Metadata (read); classic token: repo, of an admin"],
    columns={
        "repository": str,
        "branch": str,
        "branch_exists": bool,
        "protected": bool,
        "required_approving_review_count": (int, f"{_REVIEWS}.required_approving_review_count"),
        "dismiss_stale_reviews": (bool, f"{_REVIEWS}.dismiss_stale_reviews"),
        "require_code_owner_reviews": (bool, f"{_REVIEWS}.require_code_owner_reviews"),
        "require_last_push_approval": (bool, f"{_REVIEWS}.require_last_push_approval"),
        "enforce_admins": (bool, "protection.enforce_admins.enabled"),
        "allow_force_pushes": (bool, "protection.allow_force_pushes.enabled"),
        "allow_deletions": (bool, "protection.allow_deletions.enabled"),
        "required_linear_history": (bool, "protection.required_linear_history.enabled"),
        "required_signatures": (bool, "protection.required_signatures.enabled"),
        "required_status_checks": (Strings, "protection.required_status_checks.contexts"),
        "rules": Strings,
        "ruleset_required_approvals": int,
        "ruleset_rules": Json,
    },
)
def branch_protection(org: Organisation) -> Iterator[Row]:
    """The default branch of one repository that is not archived.

    `protected` and what follows it is the classic protection; `rules` are the types of the rulesets' active rules
    for the branch, `ruleset_required_approvals` the strictest number of approvals among them (null: none demanded).
    """
    for repository in listed(org):
        if repository.get("archived"):
            continue
        with org.http.part(f"branch protection of {repository['full_name']}"):
            yield _row(org, repository)


def _row(org: Organisation, repository: Row) -> Row:
    branch = repository.get("default_branch")
    if not branch:
        raise Unreadable(f"{repository['full_name']} is listed without its default branch")
    rules = list(_rules(org, repository["full_name"], branch))
    return {
        "repository": repository["full_name"],
        "branch": branch,
        **_classic(org, repository["full_name"], branch),
        "rules": sorted({rule["type"] for rule in rules}),
        "ruleset_required_approvals": _approvals(rules),
        "ruleset_rules": rules,
    }


def _classic(org: Organisation, repository: str, branch: str) -> dict[str, Any]:
    try:
        answer = org.http.get(f"/repos/{repository}/branches/{quote(branch, safe='')}/protection")
    except NotFound as absent:
        if "Branch not protected" in str(absent):
            return {"branch_exists": True, "protected": False}
        if "Branch not found" in str(absent):
            return {"branch_exists": False, "protected": None}
        raise
    return {"branch_exists": True, "protected": True, "protection": answer}


def _rules(org: Organisation, repository: str, branch: str) -> Iterator[Row]:
    path = f"/repos/{repository}/rules/branches/{quote(branch, safe='')}"
    return org.http.pages(path, per_page=PAGE_SIZE)


def _approvals(rules: list[Row]) -> int | None:
    demanded = [
        rule["parameters"]["required_approving_review_count"]
        for rule in rules
        if rule["type"] == "pull_request" and "required_approving_review_count" in (rule.get("parameters") or {})
    ]
    return max(demanded, default=None)
