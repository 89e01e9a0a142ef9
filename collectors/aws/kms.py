"""KMS: the keys of a region, and whether they are rotated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annexa.sdk import Aws, Row, Timestamp

from .connection import aws, place


@aws.table(
    "aws_kms_key",
    key="arn",
    per="region",
    permissions=["kms:ListKeys", "kms:DescribeKey", "kms:GetKeyRotationStatus"],
    columns={
        "account": str,
        "region": str,
        "arn": (str, "Arn"),
        "id": (str, "KeyId"),
        "description": (str, "Description"),
        "manager": (str, "KeyManager"),
        "state": (str, "KeyState"),
        "spec": (str, "KeySpec"),
        "usage": (str, "KeyUsage"),
        "origin": (str, "Origin"),
        "multi_region": (bool, "MultiRegion"),
        "created": (Timestamp, "CreationDate"),
        "deletion_date": (Timestamp, "DeletionDate"),
        "rotatable": bool,
        "rotation_enabled": bool,
        "rotation_period_days": int,
    },
)
def keys(api: Aws) -> Iterator[Row]:
    """A KMS key. `rotatable`: a key of the customer that AWS can rotate; `rotation_enabled` is null for all others."""
    for entry in api.pages("kms", "list_keys", "Keys"):
        with api.part(entry["KeyArn"]):
            key = api.call("kms", "describe_key", KeyId=entry["KeyArn"])["KeyMetadata"]
            may = rotatable(key)
            rotation: dict[str, Any] = {}
            if may:
                with api.part(f"{entry['KeyArn']}: rotation"):
                    rotation = api.call("kms", "get_key_rotation_status", KeyId=entry["KeyArn"])
            yield {
                **key,
                **place(api),
                "rotatable": may,
                "rotation_enabled": rotation.get("KeyRotationEnabled"),
                "rotation_period_days": rotation.get("RotationPeriodInDays"),
            }


def rotatable(key: Row) -> bool:
    """Whether AWS can rotate a key: a symmetric one of the customer, with material made by KMS.

    Source: AWS KMS Developer Guide, "Rotate AWS KMS keys".
    """
    return (
        key.get("KeyManager") == "CUSTOMER"
        and key.get("KeySpec", key.get("CustomerMasterKeySpec")) == "SYMMETRIC_DEFAULT"
        and key.get("Origin") == "AWS_KMS"
        and key.get("KeyState") in ("Enabled", "Disabled")
    )
