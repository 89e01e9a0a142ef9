"""How access through Okta is governed: applications, policies and their rules."""

from __future__ import annotations

from collections.abc import Iterator

from annexa.sdk import Json, Row, Timestamp

from .tenant import Tenant, okta

POLICY_TYPES = ("OKTA_SIGN_ON", "PASSWORD", "MFA_ENROLL", "ACCESS_POLICY")
"""ACCESS_POLICY last: Classic Engine organisations do not have it, and what came before it is then still seen."""


@okta.table(
    "okta_app",
    key="id",
    permissions=["okta.apps.read"],
    columns={
        "id": str,
        "name": str,
        "label": str,
        "status": str,
        "sign_on_mode": (str, "signOnMode"),
        "created": Timestamp,
        "last_updated": (Timestamp, "lastUpdated"),
    },
)
def apps(tenant: Tenant) -> Iterator[Row]:
    """Every application of the organisation that is not deleted, inactive ones included."""
    yield from tenant.http.pages("/api/v1/apps", limit=200, includeNonDeleted=True)


@okta.table(
    "okta_policy",
    key="id",
    permissions=["okta.policies.read"],
    columns={
        "id": str,
        "type": str,
        "name": str,
        "status": str,
        "priority": int,
        "system": bool,
        "settings": Json,
        "conditions": Json,
        "created": Timestamp,
        "last_updated": (Timestamp, "lastUpdated"),
    },
)
def policies(tenant: Tenant) -> Iterator[Row]:
    """One policy: global session, password, authenticator enrolment, or (Identity Engine) app sign-in."""
    for kind in POLICY_TYPES:
        yield from tenant.http.pages("/api/v1/policies", type=kind)


@okta.table(
    "okta_policy_rule",
    key=("policy_id", "id"),
    permissions=["okta.policies.read"],
    columns={
        "policy_id": (str, "policyId"),
        "policy_type": (str, "policyType"),
        "id": str,
        "type": str,
        "name": str,
        "status": str,
        "priority": int,
        "system": bool,
        "actions": Json,
        "conditions": Json,
        "created": Timestamp,
        "last_updated": (Timestamp, "lastUpdated"),
    },
)
def policy_rules(tenant: Tenant) -> Iterator[Row]:
    """One rule of one policy of okta_policy; `actions` holds what it demands (factors, session lifetimes)."""
    for policy in policies(tenant):
        with tenant.http.part(f"rules of policy {policy['id']}"):
            for rule in tenant.http.pages(f"/api/v1/policies/{policy['id']}/rules"):
                yield {**rule, "policyId": policy["id"], "policyType": policy.get("type")}
