"""Who can reach the organisation's code: members with their role, members without 2FA, outside collaborators.

Rules:
- A listing of members does not tell their role; owners and other members are asked for one after the other. Somebody
  whose role changes in between is in both, and the duplicate makes the table incomplete.
- Somebody who is no member is shown the public members only, without a word. An organisation has an owner always: a
  listing without any is refused as one that the token may not see.
- Only an owner may filter by 2FA; GitHub answers anybody else 422.
"""

from __future__ import annotations

from collections.abc import Iterator

from annexa.sdk import CollectError, Denied, Row

from .organisation import PAGE_SIZE, Organisation, github

_MEMBERS = "Organization permissions: Members (read); classic token: read:org, of a member of the organization"
_OWNER = "organization owner"


@github.table(
    "github_member",
    key="id",
    permissions=[_MEMBERS],
    columns={"id": int, "login": str, "role": str, "type": str, "site_admin": bool},
)
def members(org: Organisation) -> Iterator[Row]:
    """One member of the organisation; `role` is admin (an owner) or member."""
    owners = 0
    for owner in org.http.pages(f"/orgs/{org.name}/members", role="admin", per_page=PAGE_SIZE):
        owners += 1
        yield {**owner, "role": "admin"}
    if not owners:
        message = f"the listing of the members of {org.name} shows no owner: the token sees public members only"
        raise Denied(message, permission=_MEMBERS)
    for member in org.http.pages(f"/orgs/{org.name}/members", role="member", per_page=PAGE_SIZE):
        yield {**member, "role": "member"}


@github.table(
    "github_member_2fa_disabled",
    key="id",
    permissions=[_MEMBERS, _OWNER],
    columns={"id": int, "login": str},
)
def members_without_2fa(org: Organisation) -> Iterator[Row]:
    """One member who has no two-factor authentication; none collected means that every member has it."""
    try:
        yield from org.http.pages(f"/orgs/{org.name}/members", filter="2fa_disabled", per_page=PAGE_SIZE)
    except CollectError as refusal:
        if "Only owners can use this filter" in str(refusal):
            raise Denied(str(refusal), permission=_OWNER) from refusal
        raise


@github.table(
    "github_outside_collaborator",
    key="id",
    permissions=[_MEMBERS],
    columns={"id": int, "login": str, "type": str, "site_admin": bool},
)
def outside_collaborators(org: Organisation) -> Iterator[Row]:
    """One person who is no member and can reach at least one repository."""
    yield from org.http.pages(f"/orgs/{org.name}/outside_collaborators", per_page=PAGE_SIZE)
