"""The account itself: its root user, its contacts, its password policy, its MFA devices."""

from __future__ import annotations

from collections.abc import Iterator

from annexa.sdk import Aws, NotFound, Row, Timestamp

from .connection import aws, place

_CONTACTS = ("SECURITY", "OPERATIONS", "BILLING")


def _flag(summary: Row, name: str) -> bool | None:
    value = summary.get(name)
    return None if value is None else value > 0


@aws.table(
    "aws_account",
    key="account",
    per="account",
    permissions=["iam:GetAccountSummary", "iam:ListAccountAliases"],
    columns={
        "account": str,
        "alias": str,
        "root_mfa": bool,
        "root_access_keys": (int, "AccountAccessKeysPresent"),
        "root_password": bool,
        "root_signing_certificates": (int, "AccountSigningCertificatesPresent"),
        "users": (int, "Users"),
        "roles": (int, "Roles"),
        "mfa_devices": (int, "MFADevices"),
        "mfa_devices_in_use": (int, "MFADevicesInUse"),
    },
)
def account(api: Aws) -> Iterator[Row]:
    """The account, with what IAM's summary says of its root user (`GetAccountSummary`; absent counts are null)."""
    summary = api.call("iam", "get_account_summary")["SummaryMap"]
    aliases = [alias for page in api.pages("iam", "list_account_aliases", "") for alias in page["AccountAliases"]]
    yield {
        **summary,
        **place(api),
        "alias": next(iter(aliases), None),
        "root_mfa": _flag(summary, "AccountMFAEnabled"),
        "root_password": _flag(summary, "AccountPasswordPresent"),
    }


@aws.table(
    "aws_alternate_contact",
    key=["account", "type"],
    per="account",
    permissions=["account:GetAlternateContact"],
    columns={
        "account": str,
        "type": (str, "AlternateContactType"),
        "name": (str, "Name"),
        "title": (str, "Title"),
        "email": (str, "EmailAddress"),
        "phone": (str, "PhoneNumber"),
    },
)
def alternate_contacts(api: Aws) -> Iterator[Row]:
    """A contact that AWS is to use for security, operations or billing. One that is not set has no row."""
    for kind in _CONTACTS:
        try:
            answer = api.call("account", "get_alternate_contact", AlternateContactType=kind)
        except NotFound:
            continue
        yield {**answer["AlternateContact"], **place(api)}


@aws.table(
    "aws_password_policy",
    key="account",
    per="account",
    permissions=["iam:GetAccountPasswordPolicy"],
    columns={
        "account": str,
        "exists": bool,
        "minimum_length": (int, "MinimumPasswordLength"),
        "require_symbols": (bool, "RequireSymbols"),
        "require_numbers": (bool, "RequireNumbers"),
        "require_uppercase": (bool, "RequireUppercaseCharacters"),
        "require_lowercase": (bool, "RequireLowercaseCharacters"),
        "allow_users_to_change": (bool, "AllowUsersToChangePassword"),
        "expires": (bool, "ExpirePasswords"),
        "maximum_age_days": (int, "MaxPasswordAge"),
        "reuse_prevention": (int, "PasswordReusePrevention"),
        "hard_expiry": (bool, "HardExpiry"),
    },
)
def password_policy(api: Aws) -> Iterator[Row]:
    """The account's password policy. `exists` is false where none is set: AWS's default of 8 characters applies."""
    try:
        policy = api.call("iam", "get_account_password_policy")["PasswordPolicy"]
    except NotFound:
        yield {**place(api), "exists": False}
        return
    yield {**policy, **place(api), "exists": True}


@aws.table(
    "aws_iam_mfa_device",
    key="serial_number",
    per="account",
    permissions=["iam:ListVirtualMFADevices"],
    columns={
        "account": str,
        "serial_number": (str, "SerialNumber"),
        "user_arn": (str, "User.Arn"),
        "enabled_at": (Timestamp, "EnableDate"),
    },
)
def mfa_devices(api: Aws) -> Iterator[Row]:
    """A virtual MFA device; `user_arn` is null when nobody holds it. Hardware keys and passkeys are not among them."""
    for device in api.pages("iam", "list_virtual_mfa_devices", "VirtualMFADevices", AssignmentStatus="Any"):
        yield {**device, **place(api)}
