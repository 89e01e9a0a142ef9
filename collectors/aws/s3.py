"""S3: each bucket with what decides who can read it, and the account's own block on public access.

A bucket has a dozen settings, each with its own permission. A setting that AWS says is not there has its documented
meaning (`none`, `Disabled`, false); one that could not be read is null, and its shard is incomplete.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from annexa.sdk import Aws, Json, NotFound, Row, Strings, Timestamp, Unreadable

from .connection import aws, place

_BLOCKS = {
    "block_public_acls": "BlockPublicAcls",
    "ignore_public_acls": "IgnorePublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "restrict_public_buckets": "RestrictPublicBuckets",
}
_EVERYBODY = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "AuthenticatedUsers",
}


@aws.table(
    "aws_s3_account_block",
    key="account",
    per="account",
    permissions=["s3:GetAccountPublicAccessBlock"],
    columns={"account": str, "exists": bool, **dict.fromkeys(_BLOCKS, bool)},
)
def account_block(api: Aws) -> Iterator[Row]:
    """The account's block on public access to all its buckets; all false where none is set."""
    account = api.scope.values["account"]
    found = _setting(
        api, "get_public_access_block", "NoSuchPublicAccessBlockConfiguration", service="s3control", AccountId=account
    )
    yield {**place(api), "exists": found is not None, **_blocks(found)}


@aws.table(
    "aws_s3_bucket",
    key="name",
    per="account",
    permissions=[
        "s3:ListAllMyBuckets",
        "s3:GetBucketLocation",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetEncryptionConfiguration",
        "s3:GetBucketVersioning",
        "s3:GetBucketLogging",
        "s3:GetBucketPolicy",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketAcl",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketObjectLockConfiguration",
    ],
    columns={
        "account": str,
        "name": (str, "Name"),
        "region": str,
        "created": (Timestamp, "CreationDate"),
        **dict.fromkeys(_BLOCKS, bool),
        "encryption": str,
        "kms_key": str,
        "bucket_key": bool,
        "versioning": str,
        "mfa_delete": str,
        "logging": bool,
        "logging_target": str,
        "policy": Json,
        "has_policy": bool,
        "policy_is_public": bool,
        "acl_grants": Json,
        "acl_public": Strings,
        "ownership": str,
        "object_lock": bool,
    },
)
def buckets(api: Aws) -> Iterator[Row]:
    """A bucket of the account, wherever it is. `acl_public` names what its ACL grants to everybody: `READ:AllUsers`."""
    for bucket in api.pages("s3", "list_buckets", "Buckets", MaxBuckets=1000):
        row: dict[str, Any] = {**bucket, **place(api)}
        for name, read in _SETTINGS.items():
            with api.part(f"{bucket['Name']}: {name}"):
                row |= read(api, bucket)
        yield row


def _setting(api: Aws, operation: str, *absent: str, service: str = "s3", **params: str) -> dict[str, Any] | None:
    """One setting; None when AWS says that it is not there, in the words that mean that and not a missing bucket."""
    try:
        return api.call(service, operation, **params)
    except NotFound as missing:
        if missing.code in absent:
            return None
        raise


def _blocks(found: Row | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(_BLOCKS, False)
    flags = found["PublicAccessBlockConfiguration"]
    return {name: flags.get(path) for name, path in _BLOCKS.items()}


def _region(api: Aws, bucket: Row) -> dict[str, Any]:
    if bucket.get("BucketRegion"):
        return {"region": bucket["BucketRegion"]}
    found = api.call("s3", "get_bucket_location", Bucket=bucket["Name"]).get("LocationConstraint")
    return {"region": {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(found, found)}


def _public_access_block(api: Aws, bucket: Row) -> dict[str, Any]:
    absent = "NoSuchPublicAccessBlockConfiguration"
    return _blocks(_setting(api, "get_public_access_block", absent, Bucket=bucket["Name"]))


def _encryption(api: Aws, bucket: Row) -> dict[str, Any]:
    absent = "ServerSideEncryptionConfigurationNotFoundError"
    found = _setting(api, "get_bucket_encryption", absent, Bucket=bucket["Name"])
    if found is None:
        return {"encryption": "none"}
    rule = found["ServerSideEncryptionConfiguration"]["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return {
        "encryption": default.get("SSEAlgorithm"),
        "kms_key": default.get("KMSMasterKeyID"),
        "bucket_key": rule.get("BucketKeyEnabled"),
    }


def _versioning(api: Aws, bucket: Row) -> dict[str, Any]:
    """A bucket on which versioning was never set answers with neither status (S3 API, `GetBucketVersioning`)."""
    found = api.call("s3", "get_bucket_versioning", Bucket=bucket["Name"])
    return {"versioning": found.get("Status", "Disabled"), "mfa_delete": found.get("MFADelete", "Disabled")}


def _logging(api: Aws, bucket: Row) -> dict[str, Any]:
    found = api.call("s3", "get_bucket_logging", Bucket=bucket["Name"]).get("LoggingEnabled")
    target = f"{found['TargetBucket']}/{found.get('TargetPrefix', '')}" if found else None
    return {"logging": found is not None, "logging_target": target}


def _policy(api: Aws, bucket: Row) -> dict[str, Any]:
    found = _setting(api, "get_bucket_policy", "NoSuchBucketPolicy", Bucket=bucket["Name"])
    if found is None:
        return {"has_policy": False}
    try:
        return {"has_policy": True, "policy": json.loads(found["Policy"])}
    except ValueError as damage:
        raise Unreadable(f"{bucket['Name']}: the bucket policy is not JSON") from damage


def _policy_status(api: Aws, bucket: Row) -> dict[str, Any]:
    found = _setting(api, "get_bucket_policy_status", "NoSuchBucketPolicy", Bucket=bucket["Name"])
    return {"policy_is_public": False if found is None else found["PolicyStatus"].get("IsPublic")}


def _acl(api: Aws, bucket: Row) -> dict[str, Any]:
    grants = api.call("s3", "get_bucket_acl", Bucket=bucket["Name"]).get("Grants", [])
    public = [(grant.get("Permission"), _EVERYBODY.get(grant.get("Grantee", {}).get("URI"))) for grant in grants]
    return {"acl_grants": grants, "acl_public": sorted(f"{what}:{who}" for what, who in public if who)}


def _ownership(api: Aws, bucket: Row) -> dict[str, Any]:
    """`none`: no ownership controls, so ACLs apply as they stand."""
    found = _setting(api, "get_bucket_ownership_controls", "OwnershipControlsNotFoundError", Bucket=bucket["Name"])
    return {"ownership": "none" if found is None else found["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}


def _object_lock(api: Aws, bucket: Row) -> dict[str, Any]:
    absent = "ObjectLockConfigurationNotFoundError"
    found = _setting(api, "get_object_lock_configuration", absent, Bucket=bucket["Name"])
    enabled = found and found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled")
    return {"object_lock": enabled == "Enabled"}


_SETTINGS: dict[str, Callable[[Aws, Row], dict[str, Any]]] = {
    "region": _region,
    "public access block": _public_access_block,
    "encryption": _encryption,
    "versioning": _versioning,
    "logging": _logging,
    "policy": _policy,
    "policy status": _policy_status,
    "acl": _acl,
    "ownership": _ownership,
    "object lock": _object_lock,
}
