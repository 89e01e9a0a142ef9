"""What Example Ltd has in AWS, made with botocore: as it is found, after a drift, and repaired.

`start` holds, among good things: a leaver with an active key, an administrator by wildcard, users without MFA, a weak
password policy, a bucket public by policy and one by ACL, SSH open to the world over IPv4 and (only) over IPv6,
IMDSv1, an unencrypted volume and database, a public database, keys that are not rotated, and a trail that is stopped.
`drift`: RDP open to the world, the trail stopped, a new user without MFA, one more public bucket.
`repair`: what was bad before and after the drift is put right, save for what only a root user or time can.

The three may be called in any order after `seed`, and again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import time
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

from tests.simulators.aws import ACCOUNT
from tests.simulators.aws_log_files import LOG_BUCKET, put_log_files
from tests.simulators.company import DOMAIN, LEAVER

HOME, SECOND = "eu-west-1", "us-east-1"
REGIONS = (HOME, SECOND)
WORLD_V4, WORLD_V6 = "0.0.0.0/0", "::/0"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

_USERS = {
    "ada.lovelace": ("administrators", True, False),
    "barbara.liskov": ("auditors", True, False),
    "grace.hopper": ("engineers", True, True),
    "alan.turing": ("engineers", False, True),
    "john.backus": ("administrators", True, False),
    "katherine.johnson": ("engineers", True, False),
    LEAVER: ("engineers", True, True),
}
"""Local part of the address: group, has MFA, has an access key."""

SERVICE_USER = "backup-service"
_GOOD_POLICY = {
    "MinimumPasswordLength": 14,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "AllowUsersToChangePassword": True,
    "MaxPasswordAge": 365,
    "PasswordReusePrevention": 24,
}
_BLOCK_ALL = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class Estate:
    """botocore clients of the account at an endpoint."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session = botocore.session.Session()
        self.client = cache(self._client)

    def _client(self, service: str, region: str = HOME) -> Any:
        return self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self._endpoint,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


def user_name(local: str) -> str:
    """The IAM name of a person: the address."""
    return f"{local}@{DOMAIN}"


def seed(endpoint: str, now: datetime, state: str = "start") -> None:
    """Make the estate as it is found, then bring it into `state` (start, drift or repair)."""
    estate = Estate(endpoint)
    key_id = _identities(estate)
    _buckets(estate)
    for region in REGIONS:
        _network(estate, region)
    _databases(estate)
    _trails(estate)
    put_log_files(estate.client("s3"), now, leaver_key=key_id)
    if state != "start":
        {"drift": drift, "repair": repair}[state](endpoint, now)


def drift(endpoint: str, now: datetime) -> None:
    """What got worse since."""
    estate = Estate(endpoint)
    ec2, iam, s3 = estate.client("ec2"), estate.client("iam"), estate.client("s3")
    _allow(ec2, _group(ec2, "office"), 3389, WORLD_V4)
    estate.client("cloudtrail").stop_logging(Name="company")
    if "frances.allen@example.com" not in _user_names(iam):
        _user(iam, "frances.allen", "administrators", mfa=False, key=True)
    s3.put_bucket_acl(Bucket="example-invoices", ACL="public-read")
    put_log_files(s3, now, leaver_key="AKIAIOSFODNN7EXAMPLE", drifted=True)


def repair(endpoint: str, now: datetime) -> None:
    """What was put right."""
    estate = Estate(endpoint)
    _repair_identities(estate.client("iam"))
    s3 = estate.client("s3")
    s3.delete_bucket_policy(Bucket="example-downloads")
    for bucket in ("example-downloads", "example-photos", "example-invoices"):
        s3.put_bucket_acl(Bucket=bucket, ACL="private")
        _harden(s3, bucket)
    for region in REGIONS:
        ec2, kms, rds = (estate.client(service, region) for service in ("ec2", "kms", "rds"))
        for name, port, world in (("office", 22, WORLD_V4), ("office", 3389, WORLD_V4), ("legacy", 22, WORLD_V6)):
            _revoke(ec2, _group(ec2, name), port, world)
        ec2.enable_ebs_encryption_by_default()
        _repair_instances(ec2)
        for entry in kms.list_keys()["Keys"]:
            kms.enable_key_rotation(KeyId=entry["KeyId"])
        for database in rds.describe_db_instances()["DBInstances"]:
            rds.modify_db_instance(DBInstanceIdentifier=database["DBInstanceIdentifier"], PubliclyAccessible=False)
    for trail, region in (("company", HOME), ("regional", SECOND)):
        estate.client("cloudtrail", region).start_logging(Name=trail)


def _identities(estate: Estate) -> str:
    """Users, groups, roles, policies; the leaver's key id."""
    iam = estate.client("iam")
    iam.create_account_alias(AccountAlias="example-ltd")
    iam.update_account_password_policy(MinimumPasswordLength=6, AllowUsersToChangePassword=True)
    wildcard = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    scoped = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": "arn:aws:s3:::example-*",
            },
            {
                "Effect": "Deny",
                "NotAction": "iam:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
    breakglass = iam.create_policy(PolicyName="break-glass", PolicyDocument=json.dumps(wildcard))["Policy"]["Arn"]
    reading = iam.create_policy(PolicyName="read-data", PolicyDocument=json.dumps(scoped))["Policy"]["Arn"]
    for group, policy in (
        ("administrators", ADMINISTRATOR),
        ("auditors", "arn:aws:iam::aws:policy/SecurityAudit"),
        ("engineers", reading),
    ):
        iam.create_group(GroupName=group)
        iam.attach_group_policy(GroupName=group, PolicyArn=policy)
    keys = {local: _user(iam, local, group, mfa=mfa, key=key) for local, (group, mfa, key) in _USERS.items()}
    iam.create_user(UserName=SERVICE_USER, Tags=[{"Key": "purpose", "Value": "backup"}])
    iam.put_user_policy(UserName=SERVICE_USER, PolicyName="backup", PolicyDocument=json.dumps(scoped))
    iam.create_access_key(UserName=SERVICE_USER)
    _role(iam, "deploy", {"Service": "ec2.amazonaws.com"}, breakglass)
    _role(iam, "partner", {"AWS": "*"}, reading)
    iam.create_instance_profile(InstanceProfileName="deploy")
    iam.add_role_to_instance_profile(InstanceProfileName="deploy", RoleName="deploy")
    return keys[LEAVER]


def _user(iam: Any, local: str, group: str, *, mfa: bool, key: bool) -> str:
    name = user_name(local)
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password=f"Initial-{local}-1!")
    iam.add_user_to_group(GroupName=group, UserName=name)
    if mfa:
        _enable_mfa(iam, name)
    return str(iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]) if key else ""


def _enable_mfa(iam: Any, name: str) -> None:
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    codes = [_code(device["Base32StringSeed"], step) for step in (0, 1)]
    iam.enable_mfa_device(
        UserName=name,
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=codes[0],
        AuthenticationCode2=codes[1],
    )


def _code(seed_text: bytes, step: int) -> str:
    """A time-based one-time password (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    digest = hmac.new(base64.b32decode(seed_text + b"=" * (-len(seed_text) % 8)), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def _user_names(iam: Any) -> list[str]:
    return [user["UserName"] for user in iam.list_users()["Users"]]


def _role(iam: Any, name: str, principal: dict[str, str], policy: str) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)


def _repair_identities(iam: Any) -> None:
    iam.update_account_password_policy(**_GOOD_POLICY)
    for key in iam.list_access_keys(UserName=user_name(LEAVER))["AccessKeyMetadata"]:
        iam.update_access_key(UserName=user_name(LEAVER), AccessKeyId=key["AccessKeyId"], Status="Inactive")
    try:
        iam.delete_login_profile(UserName=user_name(LEAVER))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    for name in _user_names(iam):
        if name.endswith(DOMAIN) and not iam.list_mfa_devices(UserName=name)["MFADevices"]:
            _enable_mfa(iam, name)
    policy = f"arn:aws:iam::{ACCOUNT}:policy/break-glass"
    iam.attach_role_policy(RoleName="deploy", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/read-data")
    if any(
        one["PolicyArn"] == policy for one in iam.list_attached_role_policies(RoleName="deploy")["AttachedPolicies"]
    ):
        iam.detach_role_policy(RoleName="deploy", PolicyArn=policy)
        iam.delete_policy(PolicyArn=policy)
    closed = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName="partner", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [closed]})
    )


def _buckets(estate: Estate) -> None:
    s3 = estate.client("s3")
    for bucket in ("example-invoices", "example-backups", "example-downloads", "example-photos", LOG_BUCKET):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HOME})
    for bucket in ("example-invoices", "example-backups", LOG_BUCKET):
        _harden(s3, bucket)
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::example-downloads/*",
    }
    s3.put_bucket_policy(
        Bucket="example-downloads", Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    )
    s3.put_bucket_acl(Bucket="example-photos", ACL="public-read")


def _harden(s3: Any, bucket: str) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_BLOCK_ALL)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def _network(estate: Estate, region: str) -> None:
    ec2 = estate.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    groups = {
        name: ec2.create_security_group(GroupName=name, Description=f"{name} access", VpcId=vpc)["GroupId"]
        for name in ("web", "office", "legacy")
    }
    _allow(ec2, groups["web"], 443, WORLD_V4)
    _allow(ec2, groups["office"], 22, WORLD_V4 if region == HOME else "192.0.2.0/24")
    if region == HOME:
        _allow(ec2, groups["legacy"], 22, WORLD_V6)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    for name, tokens in (("web", "required"), ("office", "optional")):
        ec2.run_instances(
            ImageId="ami-0123456789abcdef0",
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.micro",
            SubnetId=subnet,
            SecurityGroupIds=[groups[name]],
            MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": "enabled"},
            BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8, "Encrypted": name == "web"}}],
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
        )
    for encrypted in (True, False):
        ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, Encrypted=encrypted)
    kms = estate.client("kms", region)
    rotated = kms.create_key(Description="customer data", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=rotated)
    if region == HOME:
        kms.create_key(Description="archive", KeyUsage="ENCRYPT_DECRYPT")
        kms.create_key(Description="signing", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")


def _group(ec2: Any, name: str) -> str:
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    return str(found[0]["GroupId"])


def _range(port: int, world: str) -> dict[str, Any]:
    ranges = {"Ipv6Ranges": [{"CidrIpv6": world}]} if ":" in world else {"IpRanges": [{"CidrIp": world}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges}


def _allow(ec2: Any, group: str, port: int, world: str) -> None:
    _unless_so(
        lambda: ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[_range(port, world)]), "Duplicate"
    )


def _revoke(ec2: Any, group: str, port: int, world: str) -> None:
    _unless_so(
        lambda: ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[_range(port, world)]), "NotFound"
    )


def _unless_so(change: Any, already: str) -> None:
    try:
        change()
    except ClientError as error:
        if already not in error.response["Error"]["Code"]:
            raise


def _repair_instances(ec2: Any) -> None:
    for reservation in ec2.describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            ec2.modify_instance_metadata_options(
                InstanceId=instance["InstanceId"], HttpTokens="required", HttpEndpoint="enabled"
            )
    for volume in ec2.describe_volumes(Filters=[{"Name": "encrypted", "Values": ["false"]}])["Volumes"]:
        if not volume["Attachments"]:
            ec2.delete_volume(VolumeId=volume["VolumeId"])


def _databases(estate: Estate) -> None:
    rds = estate.client("rds")
    for name, encrypted, public in (("orders", True, False), ("reporting", False, True)):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="root",
            MasterUserPassword="Initial-password-1",
            StorageEncrypted=encrypted,
            PubliclyAccessible=public,
            BackupRetentionPeriod=7 if encrypted else 0,
            DeletionProtection=encrypted,
            MultiAZ=encrypted,
        )


def _trails(estate: Estate) -> None:
    home, second = estate.client("cloudtrail", HOME), estate.client("cloudtrail", SECOND)
    home.create_trail(
        Name="company",
        S3BucketName=LOG_BUCKET,
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
    )
    home.start_logging(Name="company")
    second.create_trail(
        Name="regional", S3BucketName=LOG_BUCKET, IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False
    )
    everything = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]
    for client, trail in ((home, "company"), (second, "regional")):
        client.put_event_selectors(TrailName=trail, EventSelectors=everything)
