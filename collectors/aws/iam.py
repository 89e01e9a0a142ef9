"""IAM: users, groups, roles, policies, and every statement of every policy that is in use.

One paged call, `GetAccountAuthorizationDetails`, gives all but the documents of AWS's own policies; of those, the ones
that somebody has attached are asked for one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from annexa.sdk import Aws, Json, Row, Strings, Table, TableRow, Timestamp

from .connection import aws, place, tags
from .policies import statements

_FILTER = ["User", "Role", "Group", "LocalManagedPolicy"]

USER = Table.of(
    "aws_iam_user",
    {
        "account": str,
        "arn": (str, "Arn"),
        "id": (str, "UserId"),
        "name": (str, "UserName"),
        "path": (str, "Path"),
        "created": (Timestamp, "CreateDate"),
        "groups": (Strings, "GroupList"),
        "attached_policies": Strings,
        "inline_policies": Strings,
        "permissions_boundary": (str, "PermissionsBoundary.PermissionsBoundaryArn"),
        "tags": Json,
    },
    key="arn",
    doc="An IAM user; its credentials are in `aws_credential_report`.",
)
GROUP = Table.of(
    "aws_iam_group",
    {
        "account": str,
        "arn": (str, "Arn"),
        "id": (str, "GroupId"),
        "name": (str, "GroupName"),
        "path": (str, "Path"),
        "created": (Timestamp, "CreateDate"),
        "attached_policies": Strings,
        "inline_policies": Strings,
    },
    key="arn",
    doc="An IAM group.",
)
ROLE = Table.of(
    "aws_iam_role",
    {
        "account": str,
        "arn": (str, "Arn"),
        "id": (str, "RoleId"),
        "name": (str, "RoleName"),
        "path": (str, "Path"),
        "created": (Timestamp, "CreateDate"),
        "trust_policy": (Json, "AssumeRolePolicyDocument"),
        "attached_policies": Strings,
        "inline_policies": Strings,
        "permissions_boundary": (str, "PermissionsBoundary.PermissionsBoundaryArn"),
        "last_used": (Timestamp, "RoleLastUsed.LastUsedDate"),
        "last_used_region": (str, "RoleLastUsed.Region"),
        "service_linked": bool,
        "tags": Json,
    },
    key="arn",
    doc="An IAM role. `last_used` is null when it was not used in the 400 days that AWS remembers.",
)
POLICY = Table.of(
    "aws_iam_policy",
    {
        "account": str,
        "arn": (str, "Arn"),
        "id": (str, "PolicyId"),
        "name": (str, "PolicyName"),
        "path": (str, "Path"),
        "aws_managed": bool,
        "default_version": (str, "DefaultVersionId"),
        "attachments": (int, "AttachmentCount"),
        "boundary_uses": (int, "PermissionsBoundaryUsageCount"),
        "created": (Timestamp, "CreateDate"),
        "updated": (Timestamp, "UpdateDate"),
        "document": Json,
    },
    key="arn",
    doc="A managed policy: every one of the customer's, and those of AWS that a user, group or role has attached.",
)
STATEMENT = Table.of(
    "aws_iam_policy_statement",
    {
        "account": str,
        "owner_arn": str,
        "owner_type": str,
        "policy_arn": str,
        "policy_name": str,
        "inline": bool,
        "is_trust": bool,
        "statement": int,
        "sid": str,
        "effect": str,
        "actions": Strings,
        "not_actions": Strings,
        "resources": Strings,
        "not_resources": Strings,
        "principals": Strings,
        "not_principals": Strings,
        "condition": Json,
    },
    key=["owner_arn", "policy_name", "is_trust", "statement"],
    doc=(
        "One statement of a policy in force. `owner_type` is user, group or role for inline and trust policies, and"
        " policy for a managed one, which those hold whose `attached_policies` name its ARN."
    ),
)


@aws.fetch(
    USER,
    GROUP,
    ROLE,
    POLICY,
    STATEMENT,
    per="account",
    permissions=["iam:GetAccountAuthorizationDetails", "iam:GetPolicy", "iam:GetPolicyVersion"],
)
def authorization(api: Aws) -> Iterator[TableRow]:
    """Who there is in IAM, and what each is allowed."""
    attached: set[str] = set()
    known: set[str] = set()
    for page in api.pages("iam", "get_account_authorization_details", "", Filter=_FILTER):
        for table, kind, details in (
            (USER, "user", page.get("UserDetailList", [])),
            (GROUP, "group", page.get("GroupDetailList", [])),
            (ROLE, "role", page.get("RoleDetailList", [])),
        ):
            for detail in details:
                attached |= _attached(detail)
                yield from _principal(api, table, kind, detail)
        for policy in page.get("Policies", []):
            known.add(policy["Arn"])
            yield from _managed(api, policy, _default_document(policy), aws_managed=False)
    for arn in sorted(attached - known):
        yield from _of_aws(api, arn)


def _attached(detail: Row) -> set[str]:
    boundary = detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return {policy["PolicyArn"] for policy in detail.get("AttachedManagedPolicies", [])} | (
        {boundary} if boundary else set()
    )


def _principal(api: Aws, table: Table, kind: str, detail: dict[str, Any] | Row) -> Iterator[TableRow]:
    inline = detail.get(f"{kind.capitalize()}PolicyList", [])
    row = {
        **detail,
        **place(api),
        "attached_policies": [policy["PolicyArn"] for policy in detail.get("AttachedManagedPolicies", [])],
        "inline_policies": [policy["PolicyName"] for policy in inline],
    }
    if kind != "group":
        row["tags"] = tags(detail.get("Tags", []))
    if kind == "role":
        row["service_linked"] = str(detail.get("Path", "")).startswith("/aws-service-role/")
    yield table.row(row)
    owner = {**place(api), "owner_arn": detail["Arn"], "owner_type": kind, "policy_arn": None}
    if kind == "role":
        yield from _statements(
            api, {**owner, "policy_name": "", "inline": True, "is_trust": True}, detail["AssumeRolePolicyDocument"]
        )
    for policy in inline:
        named = {**owner, "policy_name": policy["PolicyName"], "inline": True, "is_trust": False}
        yield from _statements(api, named, policy["PolicyDocument"])


def _managed(api: Aws, policy: Row, document: object, *, aws_managed: bool) -> Iterator[TableRow]:
    name = policy["Arn"].rpartition("/")[2]
    yield POLICY.row({**policy, **place(api), "PolicyName": name, "aws_managed": aws_managed, "document": document})
    owner = {
        **place(api),
        "owner_arn": policy["Arn"],
        "owner_type": "policy",
        "policy_arn": policy["Arn"],
        "policy_name": name,
        "inline": False,
        "is_trust": False,
    }
    yield from _statements(api, owner, document)


def _default_document(policy: Row) -> object:
    versions: list[Mapping[str, Any]] = policy.get("PolicyVersionList", [])
    return next((version.get("Document") for version in versions if version.get("IsDefaultVersion")), None)


def _of_aws(api: Aws, arn: str) -> Iterator[TableRow]:
    """A policy that is attached and not the account's own."""
    with api.part(arn):
        policy = api.call("iam", "get_policy", PolicyArn=arn)["Policy"]
        version = api.call("iam", "get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"])
        yield from _managed(api, policy, version["PolicyVersion"]["Document"], aws_managed=arn.split(":")[4] == "aws")


def _statements(api: Aws, owner: Row, document: object) -> Iterator[TableRow]:
    name = f"{owner['owner_arn']} {owner['policy_name']}".strip()
    with api.part(name):
        for statement in statements(document, name):
            yield STATEMENT.row({**owner, **statement})
