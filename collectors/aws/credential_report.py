"""IAM's credential report: every user's password, MFA and access keys, the root user's too.

AWS makes a report at most every four hours and hands out the last one in between: `generated_at` is what the rows speak
for. Source: IAM User Guide, "Generate credential reports for your AWS account".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from annexa.sdk import Aws, Row, Timestamp, Unreadable

from .connection import aws, place

NOTHING = frozenset({"", "N/A", "n/a", "no_information", "not_supported"})
"""What the report writes where there is no value, is none known, or can be none."""

_REQUIRED = (
    "user",
    "arn",
    "password_enabled",
    "password_last_used",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_2_active",
    "access_key_2_last_rotated",
)
_KEY = {
    "active": bool,
    "last_rotated": Timestamp,
    "last_used_date": Timestamp,
    "last_used_region": str,
    "last_used_service": str,
}


@aws.table(
    "aws_credential_report",
    key="arn",
    per="account",
    permissions=["iam:GenerateCredentialReport", "iam:GetCredentialReport"],
    columns={
        "account": str,
        "user": str,
        "arn": str,
        "is_root": bool,
        "user_creation_time": Timestamp,
        "password_enabled": bool,
        "password_last_used": Timestamp,
        "password_last_changed": Timestamp,
        "password_next_rotation": Timestamp,
        "mfa_active": bool,
        **{f"access_key_{n}_{name}": kind for n in (1, 2) for name, kind in _KEY.items()},
        **{f"cert_{n}_{name}": _KEY[name] for n in (1, 2) for name in ("active", "last_rotated")},
        "generated_at": Timestamp,
    },
)
def credential_report(api: Aws) -> Iterator[Row]:
    """A user of the account with the state of each credential; the root user is `<root_account>`."""
    api.call("iam", "generate_credential_report")
    report = api.call("iam", "get_credential_report")
    for row in parse(report["Content"]):
        yield {**row, **place(api), "generated_at": report["GeneratedTime"]}


def parse(content: bytes) -> Iterator[dict[str, str | bool | None]]:
    """The report's rows; null where it has no value.

    Raises:
        Unreadable: it is not the CSV that AWS documents, or a line has too few or too many fields.
    """
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        header = next(lines, [])
        missing = [name for name in _REQUIRED if name not in header]
        if missing:
            raise Unreadable(f"the credential report has no column {', '.join(missing)}")
        for number, fields in enumerate(lines, 2):
            if len(fields) != len(header):
                raise Unreadable(f"the credential report's line {number} has {len(fields)} of {len(header)} fields")
            row: dict[str, str | bool | None] = {
                name: None if value in NOTHING else value for name, value in zip(header, fields, strict=True)
            }
            yield {**row, "is_root": row["user"] == "<root_account>"}
    except (UnicodeDecodeError, csv.Error) as damage:
        raise Unreadable(f"the credential report is not CSV: {damage}") from damage
