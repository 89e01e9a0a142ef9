"""CloudTrail's log files in their bucket, as CloudTrail delivers them: gzip, one JSON object of records, by day.

What stands in them: the root user signs in without MFA, someone signs in without MFA, someone fails to, the leaver's
key is used, a role is assumed, and reads as they happen all day. With `drifted`: the trail is stopped and RDP opened.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from tests.simulators.aws import ACCOUNT
from tests.simulators.company import DOMAIN, LEAVER

LOG_BUCKET = "example-trail-logs"
_REGION = "eu-west-1"


def put_log_files(s3: Any, now: datetime, *, leaver_key: str, drifted: bool = False) -> None:
    """Deliver the day's files, and a digest beside them, which is no log file."""
    for hours, records in _DRIFT if drifted else _hours(leaver_key):
        at = now - timedelta(hours=hours)
        body = {"Records": [{**_common(at, number), **record} for number, record in enumerate(records)]}
        stamp = f"{at:%Y%m%dT%H%MZ}"
        tail = sha256(f"{stamp}{drifted}".encode()).hexdigest()[:16]
        folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{_REGION}/{at:%Y/%m/%d}"
        key = f"{folder}/{ACCOUNT}_CloudTrail_{_REGION}_{stamp}_{tail}.json.gz"
        s3.put_object(Bucket=LOG_BUCKET, Key=key, Body=gzip.compress(json.dumps(body).encode(), mtime=0))
    digest = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{_REGION}/{now:%Y/%m/%d}/digest.json.gz"
    s3.put_object(Bucket=LOG_BUCKET, Key=digest, Body=gzip.compress(b'{"digestStartTime": ""}', mtime=0))


def _common(at: datetime, number: int) -> dict[str, Any]:
    identifier = sha256(f"{at.isoformat()} {number}".encode()).hexdigest()
    return {
        "eventVersion": "1.08",
        "eventTime": (at - timedelta(minutes=5, seconds=-number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "awsRegion": _REGION,
        "sourceIPAddress": "192.0.2.10",
        "userAgent": "aws-cli/2.15.0",
        "eventID": "-".join(
            (identifier[:8], identifier[8:12], identifier[12:16], identifier[16:20], identifier[20:32])
        ),
        "recipientAccountId": ACCOUNT,
        "managementEvent": True,
        "eventCategory": "Management",
        "eventType": "AwsApiCall",
        "requestParameters": None,
        "responseElements": None,
        "readOnly": True,
    }


def _person(local: str, key: str = "", mfa: bool = True) -> dict[str, Any]:
    identity = {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{local}@{DOMAIN}",
        "accountId": ACCOUNT,
        "userName": f"{local}@{DOMAIN}",
        **({"accessKeyId": key} if key else {}),
    }
    if not key:
        identity["sessionContext"] = {"attributes": {"mfaAuthenticated": "true" if mfa else "false"}}
    return identity


_ROOT = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}


def _sign_in(identity: dict[str, Any], outcome: str, mfa: str, ip: str = "198.51.100.7") -> dict[str, Any]:
    failed = {"errorMessage": "Failed authentication"} if outcome == "Failure" else {}
    return {
        "userIdentity": {name: value for name, value in identity.items() if name != "sessionContext"},
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "eventType": "AwsConsoleSignIn",
        "sourceIPAddress": ip,
        "userAgent": "Mozilla/5.0",
        "responseElements": {"ConsoleLogin": outcome},
        "additionalEventData": {"MFAUsed": mfa, "MobileVersion": "No"},
        "readOnly": False,
        **failed,
    }


def _call(identity: dict[str, Any], service: str, name: str, *, write: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "userIdentity": identity,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "readOnly": not write,
        **more,
    }


def _hours(leaver_key: str) -> list[tuple[float, list[dict[str, Any]]]]:
    """Hours before now, and what CloudTrail delivered then."""
    leaver = _person(LEAVER, key=leaver_key)
    bucket = {"resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::example-invoices/2026.csv"}]}
    return [
        (20, [_sign_in(_ROOT, "Success", "No"), _call(_ROOT, "iam", "CreateUser", write=True)]),
        (9, [_sign_in(_person("ada.lovelace"), "Success", "Yes")]),
        (
            6,
            [
                _sign_in(_person("alan.turing"), "Success", "No"),
                _call(_person("grace.hopper"), "ec2", "DescribeInstances"),
            ],
        ),
        (4, [_sign_in(_person("katherine.johnson"), "Failure", "No", ip="203.0.113.9") for _ in range(4)]),
        (2, [_call(leaver, "s3", "GetObject", **bucket), _call(leaver, "iam", "ListUsers", errorCode="AccessDenied")]),
    ]


_DRIFT: list[tuple[float, list[dict[str, Any]]]] = [
    (
        0.5,
        [
            _call(
                _person("john.backus"), "cloudtrail", "StopLogging", write=True, requestParameters={"name": "company"}
            ),
            _call(_person("john.backus"), "ec2", "AuthorizeSecurityGroupIngress", write=True),
        ],
    )
]
