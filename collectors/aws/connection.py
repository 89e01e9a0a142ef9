"""How annexa reaches an AWS account, and the scopes that it is read in.

Rules:
- Three levels: `account` (questions that have one answer for the account), `region`, and `log` (one bucket of
  CloudTrail log files). A scope's values carry what its fetches need.
- All regions that are enabled are read unless the configuration names some: a resource in a region that nobody looks at
  is what an auditor asks about first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from annexa.sdk import Aws, CollectError, Collector, Help, Scope, Secret, Transports


@dataclass(frozen=True)
class AwsConfig:
    """One AWS account. Without keys and profile the usual chain is used (environment, SSO, instance role)."""

    regions: Annotated[tuple[str, ...], Help("Regions to read; none named: all that are enabled")] = ()
    home_region: Annotated[str, Help("Where account-wide questions are asked; default: the first region")] = ""
    profile: Annotated[str, Help("A profile of the AWS configuration files")] = ""
    role_arn: Annotated[str, Help("A role to assume; give it only what `annexa permissions aws` prints")] = ""
    external_id: Annotated[Secret | None, Help("The external ID that the role's trust policy asks for")] = None
    access_key_id: Annotated[Secret | None, Help("An access key's id; prefer a role")] = None
    secret_access_key: Annotated[Secret | None, Help("The access key itself")] = None
    session_token: Annotated[Secret | None, Help("The session token of temporary keys")] = None
    endpoint_url: Annotated[str, Help("Another endpoint than AWS: a stand-in for tests")] = ""
    log_buckets: Annotated[
        tuple[str, ...],
        Help("Buckets with CloudTrail log files, `bucket` or `bucket/prefix` (what stands before AWSLogs)"),
    ] = ()
    log_days: Annotated[int, Help("How many whole days of log files to read besides today's")] = 1


def home(config: AwsConfig) -> str:
    """The region for questions about the account."""
    return config.home_region or next(iter(config.regions), "us-east-1")


def connect(config: AwsConfig, open: Transports) -> Aws:
    """AWS in the region of the scope."""
    return open.aws(
        region=open.scope.values.get("region") or home(config),
        profile=config.profile,
        access_key_id=config.access_key_id,
        secret_access_key=config.secret_access_key,
        session_token=config.session_token,
        role_arn=config.role_arn,
        external_id=config.external_id,
        endpoint_url=config.endpoint_url,
    )


aws = Collector("aws", config=AwsConfig, connect=connect, docs="https://docs.aws.amazon.com/")


@aws.scopes(permissions=["sts:GetCallerIdentity", "ec2:DescribeRegions"])
def scopes(api: Aws, config: AwsConfig) -> Iterator[Scope]:
    """The account, its enabled regions, and the buckets of log files that the configuration names."""
    caller = api.call("sts", "get_caller_identity")
    account = caller["Account"]
    values = {"account": account, "principal": caller["Arn"]}
    yield Scope(account, "account", {**values, "region": home(config)})
    for region in config.regions or _enabled(api):
        yield Scope(f"{account}/{region}", "region", {**values, "region": region})
    for place in config.log_buckets:
        bucket, _, prefix = place.partition("/")
        log = {"bucket": bucket, "prefix": prefix.strip("/"), "days": str(config.log_days), "region": home(config)}
        yield Scope(f"{account}/logs/{place}", "log", {**values, **log})


def _enabled(api: Aws) -> list[str]:
    found = api.call("ec2", "describe_regions")["Regions"]
    regions = [region["RegionName"] for region in found if region.get("OptInStatus") != "not-opted-in"]
    if not regions:
        raise CollectError("AWS named no region", remedy="Name the regions in config.yaml.")
    return regions


def place(api: Aws) -> dict[str, str]:
    """The columns that say where a row is from: `account`, and `region` in a region's scope."""
    values = api.scope.values
    return {name: values[name] for name in ("account", "region") if name == "account" or api.scope.level == "region"}


def tags(pairs: Iterable[Mapping[str, Any]] | None) -> dict[str, str] | None:
    """Tags as one object; null where AWS gave none."""
    return {pair["Key"]: pair.get("Value", "") for pair in pairs} if pairs is not None else None
