"""EC2: what stands in a region's network, who can reach it, and whether its disks are encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from annexa.sdk import Aws, Json, Row, Strings, Timestamp

from .connection import aws, place, tags


@aws.table(
    "aws_security_group",
    key="id",
    per="region",
    permissions=["ec2:DescribeSecurityGroups"],
    columns={
        "account": str,
        "region": str,
        "id": (str, "GroupId"),
        "name": (str, "GroupName"),
        "description": (str, "Description"),
        "vpc": (str, "VpcId"),
        "tags": Json,
    },
)
def security_groups(api: Aws) -> Iterator[Row]:
    """A security group; its rules are in `aws_security_group_rule`."""
    for group in api.pages("ec2", "describe_security_groups", "SecurityGroups"):
        yield {**group, **place(api), "tags": tags(group.get("Tags"))}


@aws.table(
    "aws_security_group_rule",
    key="id",
    per="region",
    permissions=["ec2:DescribeSecurityGroupRules"],
    columns={
        "account": str,
        "region": str,
        "id": (str, "SecurityGroupRuleId"),
        "group_id": (str, "GroupId"),
        "direction": str,
        "protocol": (str, "IpProtocol"),
        "from_port": (int, "FromPort"),
        "to_port": (int, "ToPort"),
        "cidr_ipv4": (str, "CidrIpv4"),
        "cidr_ipv6": (str, "CidrIpv6"),
        "prefix_list": (str, "PrefixListId"),
        "referenced_group": (str, "ReferencedGroupInfo.GroupId"),
        "description": (str, "Description"),
        "tags": Json,
    },
)
def security_group_rules(api: Aws) -> Iterator[Row]:
    """One rule of a security group for one range: `ingress` or `egress`. Protocol and ports of -1 mean all."""
    for rule in api.pages("ec2", "describe_security_group_rules", "SecurityGroupRules"):
        egress = rule.get("IsEgress")
        direction = None if egress is None else ("egress" if egress else "ingress")
        yield {**rule, **place(api), "direction": direction, "tags": tags(rule.get("Tags"))}


@aws.table(
    "aws_instance",
    key="id",
    per="region",
    permissions=["ec2:DescribeInstances"],
    columns={
        "account": str,
        "region": str,
        "id": (str, "InstanceId"),
        "state": (str, "State.Name"),
        "type": (str, "InstanceType"),
        "image": (str, "ImageId"),
        "platform": (str, "PlatformDetails"),
        "launched": (Timestamp, "LaunchTime"),
        "public_ip": (str, "PublicIpAddress"),
        "private_ip": (str, "PrivateIpAddress"),
        "vpc": (str, "VpcId"),
        "subnet": (str, "SubnetId"),
        "security_groups": Strings,
        "instance_profile": (str, "IamInstanceProfile.Arn"),
        "http_tokens": (str, "MetadataOptions.HttpTokens"),
        "http_endpoint": (str, "MetadataOptions.HttpEndpoint"),
        "http_hop_limit": (int, "MetadataOptions.HttpPutResponseHopLimit"),
        "monitoring": (str, "Monitoring.State"),
        "key_name": (str, "KeyName"),
        "tags": Json,
    },
)
def instances(api: Aws) -> Iterator[Row]:
    """An EC2 instance, terminated ones included for the hour in which AWS still lists them."""
    for instance in api.pages("ec2", "describe_instances", "Reservations.Instances"):
        groups = instance.get("SecurityGroups")
        yield {
            **instance,
            **place(api),
            "security_groups": [group["GroupId"] for group in groups] if groups is not None else None,
            "tags": tags(instance.get("Tags")),
        }


@aws.table(
    "aws_volume",
    key="id",
    per="region",
    permissions=["ec2:DescribeVolumes"],
    columns={
        "account": str,
        "region": str,
        "id": (str, "VolumeId"),
        "state": (str, "State"),
        "type": (str, "VolumeType"),
        "size_gib": (int, "Size"),
        "created": (Timestamp, "CreateTime"),
        "encrypted": (bool, "Encrypted"),
        "kms_key": (str, "KmsKeyId"),
        "snapshot": (str, "SnapshotId"),
        "instances": Strings,
        "tags": Json,
    },
)
def volumes(api: Aws) -> Iterator[Row]:
    """An EBS volume; `instances` are those that it is attached to."""
    for volume in api.pages("ec2", "describe_volumes", "Volumes"):
        attached = volume.get("Attachments")
        yield {
            **volume,
            **place(api),
            "instances": [one["InstanceId"] for one in attached if "InstanceId" in one]
            if attached is not None
            else None,
            "tags": tags(volume.get("Tags")),
        }


@aws.table(
    "aws_ebs_default",
    key=["account", "region"],
    per="region",
    permissions=["ec2:GetEbsEncryptionByDefault"],
    columns={
        "account": str,
        "region": str,
        "encryption_by_default": (bool, "EbsEncryptionByDefault"),
    },
)
def ebs_default(api: Aws) -> Iterator[Row]:
    """Whether new EBS volumes of the region are encrypted without anybody asking for it."""
    yield {**api.call("ec2", "get_ebs_encryption_by_default"), **place(api)}
