"""AWS: who may do what (IAM), what stands open (S3, EC2, RDS), how it is kept (KMS) and what was done (CloudTrail).

Reads only. `annexa permissions aws` prints the policy to give the role. Questions about the account are asked once,
questions about a region in each region.
"""

from __future__ import annotations

from . import account, cloudtrail, cloudtrail_logs, credential_report, ec2, grant, iam, kms, rds, s3
from .connection import AwsConfig, aws

__all__ = [
    "AwsConfig",
    "account",
    "aws",
    "cloudtrail",
    "cloudtrail_logs",
    "credential_report",
    "ec2",
    "grant",
    "iam",
    "kms",
    "rds",
    "s3",
]
