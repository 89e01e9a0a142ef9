"""The organisation's repositories.

A token that reaches some repositories only is shown those only, without a word. An owner is told how many there are:
fewer in the listing than that make it incomplete.
"""

from __future__ import annotations

from collections.abc import Iterator

from annexa.sdk import CollectError, Row, Timestamp

from .organisation import PAGE_SIZE, Organisation, github

_ALL = "the repository access All repositories"


def listed(org: Organisation) -> Iterator[Row]:
    """Every repository that the token reaches, then a look at whether those are all."""
    seen = 0
    for repository in org.http.pages(f"/orgs/{org.name}/repos", type="all", per_page=PAGE_SIZE):
        seen += 1
        yield repository
    with org.http.part("number of repositories"):
        _compare(org, seen)


@github.table(
    "github_repository",
    key="id",
    permissions=["Repository permissions: Metadata (read); classic token: repo", f"{_ALL}"],
    columns={
        "id": int,
        "full_name": str,
        "name": str,
        "private": bool,
        "visibility": str,
        "archived": bool,
        "disabled": bool,
        "fork": bool,
        "is_template": bool,
        "default_branch": str,
        "allow_forking": bool,
        "web_commit_signoff_required": bool,
        "advanced_security": (str, "security_and_analysis.advanced_security.status"),
        "dependabot_security_updates": (str, "security_and_analysis.dependabot_security_updates.status"),
        "secret_scanning": (str, "security_and_analysis.secret_scanning.status"),
        "secret_scanning_push_protection": (str, "security_and_analysis.secret_scanning_push_protection.status"),
        "created_at": Timestamp,
        "updated_at": Timestamp,
        "pushed_at": Timestamp,
    },
)
def repositories(org: Organisation) -> Iterator[Row]:
    """One repository, archived ones included. The scanning columns are null for a token without admin rights to it."""
    yield from listed(org)


def _compare(org: Organisation, seen: int) -> None:
    """Raises `CollectError` when the organisation says that it has more repositories than were seen."""
    counts = org.http.get(f"/orgs/{org.name}")
    public, private = counts.get("public_repos"), counts.get("total_private_repos")
    if isinstance(public, int) and isinstance(private, int) and seen < public + private:
        message = f"{seen} of the {public + private} repositories of {org.name} were listed"
        raise CollectError(message, remedy=f"Grant the token {_ALL}.")
