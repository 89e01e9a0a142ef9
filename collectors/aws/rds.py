"""RDS: the database instances of a region."""

from __future__ import annotations

from collections.abc import Iterator

from annexa.sdk import Aws, Json, Row, Strings, Timestamp

from .connection import aws, place, tags


@aws.table(
    "aws_rds_instance",
    key="arn",
    per="region",
    permissions=["rds:DescribeDBInstances"],
    columns={
        "account": str,
        "region": str,
        "arn": (str, "DBInstanceArn"),
        "id": (str, "DBInstanceIdentifier"),
        "cluster": (str, "DBClusterIdentifier"),
        "engine": (str, "Engine"),
        "engine_version": (str, "EngineVersion"),
        "status": (str, "DBInstanceStatus"),
        "created": (Timestamp, "InstanceCreateTime"),
        "encrypted": (bool, "StorageEncrypted"),
        "kms_key": (str, "KmsKeyId"),
        "public": (bool, "PubliclyAccessible"),
        "endpoint": (str, "Endpoint.Address"),
        "vpc": (str, "DBSubnetGroup.VpcId"),
        "security_groups": Strings,
        "multi_az": (bool, "MultiAZ"),
        "backup_retention_days": (int, "BackupRetentionPeriod"),
        "latest_restorable_time": (Timestamp, "LatestRestorableTime"),
        "deletion_protection": (bool, "DeletionProtection"),
        "iam_authentication": (bool, "IAMDatabaseAuthenticationEnabled"),
        "auto_minor_version_upgrade": (bool, "AutoMinorVersionUpgrade"),
        "ca_certificate": (str, "CACertificateIdentifier"),
        "exported_logs": (Strings, "EnabledCloudwatchLogsExports"),
        "tags": Json,
    },
)
def databases(api: Aws) -> Iterator[Row]:
    """A database instance of RDS, Aurora's members included."""
    for instance in api.pages("rds", "describe_db_instances", "DBInstances"):
        groups = instance.get("VpcSecurityGroups")
        yield {
            **instance,
            **place(api),
            "security_groups": [group["VpcSecurityGroupId"] for group in groups] if groups is not None else None,
            "tags": tags(instance.get("TagList")),
        }
