"""CloudTrail: the trails, whether they record, and what they record of management events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annexa.sdk import Aws, Json, Row, Strings, Timestamp

from .connection import aws, place

KMS_AND_RDS = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
"""The only sources that a basic selector can leave out (CloudTrail API, `ExcludeManagementEventSources`)."""


@aws.table(
    "aws_trail",
    key="arn",
    per="region",
    permissions=["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"],
    columns={
        "account": str,
        "region": str,
        "arn": (str, "TrailARN"),
        "name": (str, "Name"),
        "home_region": (str, "HomeRegion"),
        "multi_region": (bool, "IsMultiRegionTrail"),
        "organization": (bool, "IsOrganizationTrail"),
        "global_service_events": (bool, "IncludeGlobalServiceEvents"),
        "log_file_validation": (bool, "LogFileValidationEnabled"),
        "kms_key": (str, "KmsKeyId"),
        "bucket": (str, "S3BucketName"),
        "prefix": (str, "S3KeyPrefix"),
        "log_group": (str, "CloudWatchLogsLogGroupArn"),
        "is_logging": (bool, "status.IsLogging"),
        "started": (Timestamp, "status.StartLoggingTime"),
        "stopped": (Timestamp, "status.StopLoggingTime"),
        "latest_delivery_time": (Timestamp, "status.LatestDeliveryTime"),
        "latest_delivery_error": (str, "status.LatestDeliveryError"),
        "management_events": str,
        "excluded_sources": Strings,
        "event_selectors": (Json, "selectors.EventSelectors"),
        "advanced_event_selectors": (Json, "selectors.AdvancedEventSelectors"),
    },
)
def trails(api: Aws) -> Iterator[Row]:
    """A trail, in its home region. `management_events`: All, ReadOnly, WriteOnly, Partial or None."""
    # Without its shadows a member account would not see the organisation's trail; one row, in its home region, counts.
    for trail in api.pages("cloudtrail", "describe_trails", "trailList", includeShadowTrails=True):
        if trail.get("HomeRegion", api.scope.values["region"]) != api.scope.values["region"]:
            continue
        row: dict[str, Any] = {**trail, **place(api)}
        with api.part(f"{trail['TrailARN']}: status"):
            row["status"] = api.call("cloudtrail", "get_trail_status", Name=trail["TrailARN"])
        with api.part(f"{trail['TrailARN']}: event selectors"):
            row["selectors"] = selectors = api.call("cloudtrail", "get_event_selectors", TrailName=trail["TrailARN"])
            row["management_events"] = management_events(selectors)
            row["excluded_sources"] = sorted(_excluded(selectors))
        yield row


def management_events(selectors: Row) -> str:
    """Which management events a trail records: what its selectors have in common is what counts together.

    `Partial` when an advanced selector picks by more than read or write; leaving out KMS or the RDS Data API, which is
    what the console offers, is not counted as that but named in `excluded_sources`.
    """
    kinds = {_basic(one) for one in selectors.get("EventSelectors") or []}
    kinds |= {_advanced(one) for one in selectors.get("AdvancedEventSelectors") or []}
    kinds.discard("None")
    if "All" in kinds or {"ReadOnly", "WriteOnly"} <= kinds:
        return "All"
    return next((kind for kind in ("WriteOnly", "ReadOnly", "Partial") if kind in kinds), "None")


def _basic(selector: Mapping[str, Any]) -> str:
    if not selector.get("IncludeManagementEvents"):
        return "None"
    kind = selector.get("ReadWriteType", "All")
    return kind if kind in ("All", "ReadOnly", "WriteOnly") else "Partial"


def _advanced(selector: Mapping[str, Any]) -> str:
    fields = {field["Field"]: field for field in selector.get("FieldSelectors", [])}
    if "Management" not in fields.pop("eventCategory", {}).get("Equals", []):
        return "None"
    if set(_left_out([*fields.values()])) <= set(KMS_AND_RDS):
        fields.pop("eventSource", None)
    read_only = fields.pop("readOnly", {}).get("Equals", [])
    if fields:
        return "Partial"
    return {("true",): "ReadOnly", ("false",): "WriteOnly", (): "All"}.get(tuple(read_only), "Partial")


def _left_out(fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sources that a selector only leaves out; a selector that picks sources leaves out all others (`*`)."""
    found: list[str] = []
    for field in fields:
        if field["Field"] == "eventSource":
            found += field.get("NotEquals", []) if set(field) == {"Field", "NotEquals"} else ["*"]
    return found


def _excluded(selectors: Row) -> set[str]:
    basic = [one.get("ExcludeManagementEventSources", []) for one in selectors.get("EventSelectors") or []]
    advanced = [_left_out(one.get("FieldSelectors", [])) for one in selectors.get("AdvancedEventSelectors") or []]
    return {source for sources in basic + advanced for source in sources}
