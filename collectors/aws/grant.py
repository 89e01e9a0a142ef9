"""The IAM policy that grants what annexa reads, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from .connection import AwsConfig, aws

_OBJECTS = "s3:GetObject"
_KEYS = "kms:Decrypt"


@aws.grants
def policy(permissions: Iterable[str], sources: Sequence[AwsConfig]) -> str:
    """An IAM policy document (version 2012-10-17).

    Listing and describing know no narrower resource than `*`. Objects are read from the configured log buckets only,
    and decrypted only on S3's behalf.
    """
    needed = set(permissions)
    buckets = sorted({place.partition("/")[0] for source in sources for place in source.log_buckets})
    statements: list[dict[str, Any]] = [_allow("AnnexaReadsSettings", needed - {_OBJECTS, _KEYS}, ["*"])]
    if _OBJECTS in needed:
        statements.append(_allow("AnnexaReadsLogs", {_OBJECTS}, [f"arn:aws:s3:::{bucket}/*" for bucket in buckets]))
    if _KEYS in needed:
        through = {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
        statements.append({**_allow("AnnexaDecryptsLogs", {_KEYS}, ["*"]), "Condition": through})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _allow(sid: str, actions: Iterable[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}
