"""Who has access to Okta: users, their factors and administrator roles, and API tokens.

Rules:
- A plain listing of users leaves deprovisioned ones out; they are asked for with a filter of their own.
- Roles are asked user by user. The list of role assignees comes first: an administrator who may not read roles is
  refused there, once, and not for every user. It is not used to leave anybody out: Okta does not document whether
  it names those who hold a role through a group.
- Factors are what Okta lists for a user: those that the enrolment policy which applies to that user allows.
"""

from __future__ import annotations

from collections.abc import Iterator

from annexa.sdk import Json, NextLink, Row, Timestamp

from .tenant import Tenant, not_deprovisioned, okta

_ROLE_READERS = "okta.roles.read (an API token: of a super administrator; read-only administrators are refused)"
_KEY_READERS = "okta.apiTokens.read (an API token: of a super administrator)"


@okta.table(
    "okta_user",
    key="id",
    permissions=["okta.users.read"],
    columns={
        "id": str,
        "status": str,
        "login": (str, "profile.login"),
        "email": (str, "profile.email"),
        "first_name": (str, "profile.firstName"),
        "last_name": (str, "profile.lastName"),
        "user_type": (str, "profile.userType"),
        "department": (str, "profile.department"),
        "manager": (str, "profile.manager"),
        "employee_number": (str, "profile.employeeNumber"),
        "created": Timestamp,
        "activated": Timestamp,
        "status_changed": (Timestamp, "statusChanged"),
        "last_login": (Timestamp, "lastLogin"),
        "last_updated": (Timestamp, "lastUpdated"),
        "password_changed": (Timestamp, "passwordChanged"),
        "credential_provider": (str, "credentials.provider.type"),
        "profile": Json,
    },
)
def users(tenant: Tenant) -> Iterator[Row]:
    """Every user of the organisation in every status, deprovisioned ones included.

    A user who is deprovisioned between the two listings is in both; the first is kept.
    """
    seen = set()
    for user in not_deprovisioned(tenant):
        seen.add(user.get("id"))
        yield user
    for user in tenant.http.pages("/api/v1/users", limit=200, filter='status eq "DEPROVISIONED"'):
        if user.get("id") not in seen:
            yield user


@okta.table(
    "okta_factor",
    key=("user_id", "id"),
    permissions=["okta.users.read"],
    columns={
        "user_id": (str, "userId"),
        "id": str,
        "factor_type": (str, "factorType"),
        "provider": str,
        "vendor": (str, "vendorName"),
        "status": str,
        "created": Timestamp,
        "last_updated": (Timestamp, "lastUpdated"),
    },
)
def factors(tenant: Tenant) -> Iterator[Row]:
    """One enrolled factor of one user who is not deprovisioned; `status` says whether it is active."""
    for user in not_deprovisioned(tenant):
        with tenant.http.part(f"factors of {user['id']}"):
            for factor in tenant.http.pages(f"/api/v1/users/{user['id']}/factors"):
                yield {**factor, "userId": user["id"]}


@okta.table(
    "okta_role",
    key=("user_id", "id"),
    permissions=["okta.users.read", _ROLE_READERS],
    columns={
        "user_id": (str, "userId"),
        "id": str,
        "type": str,
        "label": str,
        "status": str,
        "assignment_type": (str, "assignmentType"),
        "created": Timestamp,
        "last_updated": (Timestamp, "lastUpdated"),
    },
)
def roles(tenant: Tenant) -> Iterator[Row]:
    """One administrator role of one user, assigned to the user or (`assignment_type` GROUP) to a group of theirs."""
    next_link = NextLink("_links.next.href")
    assignees = tenant.http.pages("/api/v1/iam/assignees/users", items="value", paging=next_link, limit=100)
    holders = dict.fromkeys(user["id"] for user in assignees)
    holders.update(dict.fromkeys(user["id"] for user in not_deprovisioned(tenant)))
    for user_id in holders:
        with tenant.http.part(f"roles of {user_id}"):
            for role in tenant.http.pages(f"/api/v1/users/{user_id}/roles"):
                yield {**role, "userId": user_id}


@okta.table(
    "okta_api_token",
    key="id",
    permissions=[_KEY_READERS],
    columns={
        "id": str,
        "name": str,
        "user_id": (str, "userId"),
        "client_name": (str, "clientName"),
        "token_window": (str, "tokenWindow"),
        "network_connection": (str, "network.connection"),
        "created": Timestamp,
        "last_updated": (Timestamp, "lastUpdated"),
        "expires_at": (Timestamp, "expiresAt"),
    },
)
def api_tokens(tenant: Tenant) -> Iterator[Row]:
    """The description of one active API token: whose it is and when it ends without use, never the token."""
    yield from tenant.http.pages("/api/v1/api-tokens")
