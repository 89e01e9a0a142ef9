"""CloudTrail's log files in their bucket: who did what, as an access log.

Files stand at `PREFIX/AWSLogs/[o-ORGANISATION/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/*.json.gz` (CloudTrail User Guide,
"Finding your CloudTrail log files"); digests and Insights stand beside them and are not read. The accounts and regions
are those for which the bucket has files, so a trail of the whole organisation is read whole.

The window is whole days of UTC: today's and as many before it as the configuration says, by the run's time. A file that
cannot be read, or is not a log file, makes the shard incomplete; the others are still read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from annexa.sdk import Aws, Json, Row, Strings, Timestamp, Unreadable

from .connection import aws


@aws.table(
    "aws_cloudtrail_event",
    per="log",
    when=lambda config: bool(config.log_buckets),
    permissions=["s3:ListBucket", "s3:GetObject", "kms:Decrypt"],
    columns={
        "event_id": (str, "eventID"),
        "event_time": (Timestamp, "eventTime"),
        "event_name": (str, "eventName"),
        "event_source": (str, "eventSource"),
        "event_type": (str, "eventType"),
        "event_category": (str, "eventCategory"),
        "account": (str, "recipientAccountId"),
        "region": (str, "awsRegion"),
        "source_ip": (str, "sourceIPAddress"),
        "user_agent": (str, "userAgent"),
        "user_type": (str, "userIdentity.type"),
        "user_arn": (str, "userIdentity.arn"),
        "user_name": (str, "userIdentity.userName"),
        "user_account": (str, "userIdentity.accountId"),
        "invoked_by": (str, "userIdentity.invokedBy"),
        "issuer_arn": (str, "userIdentity.sessionContext.sessionIssuer.arn"),
        "access_key_id": (str, "userIdentity.accessKeyId"),
        "mfa_authenticated": bool,
        "console_login": str,
        "read_only": (bool, "readOnly"),
        "error_code": (str, "errorCode"),
        "error_message": (str, "errorMessage"),
        "resources": Strings,
        "request": (Json, "requestParameters"),
        "bucket": str,
        "object": str,
    },
)
def events(api: Aws) -> Iterator[Row]:
    """One event of a log file. CloudTrail may deliver an event more than once: `event_id` tells.

    `mfa_authenticated` is what the session says, or the sign-in; null where the event says neither. `console_login` is
    the outcome of a sign-in to the console, Success or Failure.
    """
    bucket = api.scope.values["bucket"]
    for key in _files(api, bucket):
        with api.part(f"s3://{bucket}/{key}"):
            for record in records(b"".join(api.body("s3", "get_object", "Body", Bucket=bucket, Key=key)), key):
                yield event(record) | {"bucket": bucket, "object": key}


def records(content: bytes, name: str) -> list[dict[str, Any]]:
    """The records of a log file.

    Raises:
        Unreadable: it is not JSON to its end, or has no list `Records` of objects.
    """
    try:
        log = json.loads(content)
    except ValueError as damage:
        raise Unreadable(f"{name}: not a CloudTrail log file: {damage}") from damage
    found = log.get("Records") if isinstance(log, dict) else None
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise Unreadable(f"{name}: not a CloudTrail log file: it has no list of records")
    return found


def event(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with what its type hides in different places put in one: MFA, the outcome of a sign-in, resources."""
    session = _object(_object(_object(record, "userIdentity"), "sessionContext"), "attributes")
    additional = _object(record, "additionalEventData")
    mfa = session.get("mfaAuthenticated", additional.get("MFAUsed"))
    named = record.get("resources")
    return {
        **record,
        "mfa_authenticated": {"Yes": "true", "No": "false"}.get(mfa, mfa) if isinstance(mfa, str) else mfa,
        "console_login": _object(record, "responseElements").get("ConsoleLogin"),
        "resources": [one["ARN"] for one in named if "ARN" in one] if isinstance(named, list) else None,
    }


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _files(api: Aws, bucket: str) -> Iterator[str]:
    for account in _accounts(api, bucket):
        for region in _folders(api, bucket, f"{account}CloudTrail/"):
            for day in _days(api):
                for found in api.pages("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{region}{day}/"):
                    if found["Key"].endswith((".json.gz", ".json")):
                        yield found["Key"]


def _accounts(api: Aws, bucket: str) -> Iterator[str]:
    prefix = api.scope.values["prefix"]
    top = _folders(api, bucket, f"{prefix}/AWSLogs/" if prefix else "AWSLogs/")
    if not top:
        raise Unreadable(
            f"s3://{bucket}/{prefix} holds no AWSLogs folder",
            remedy="Name the bucket and what stands before AWSLogs in it: `bucket/prefix`.",
        )
    for folder in top:
        organisation = folder.rstrip("/").rpartition("/")[2].startswith("o-")
        yield from _folders(api, bucket, folder) if organisation else [folder]


def _folders(api: Aws, bucket: str, prefix: str) -> list[str]:
    pages = api.pages("s3", "list_objects_v2", "CommonPrefixes", Bucket=bucket, Prefix=prefix, Delimiter="/")
    return [folder["Prefix"] for folder in pages]


def _days(api: Aws) -> list[str]:
    today = api.as_of.date()
    return [f"{today - timedelta(days=back):%Y/%m/%d}" for back in reversed(range(int(api.scope.values["days"]) + 1))]
