"""The System Log: an access-control log over an API.

Okta always gives a next link, so that a reader can go on asking for new events; within `since` and `until` the list
ends at the first empty page.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from annexa.sdk import Json, LinkHeader, Row, Timestamp

from .tenant import Tenant, okta


@okta.table(
    "okta_event",
    permissions=["okta.logs.read"],
    columns={
        "uuid": str,
        "published": Timestamp,
        "event_type": (str, "eventType"),
        "severity": str,
        "message": (str, "displayMessage"),
        "outcome": (str, "outcome.result"),
        "outcome_reason": (str, "outcome.reason"),
        "actor_id": (str, "actor.id"),
        "actor_type": (str, "actor.type"),
        "actor_login": (str, "actor.alternateId"),
        "actor_name": (str, "actor.displayName"),
        "ip": (str, "client.ipAddress"),
        "country": (str, "client.geographicalContext.country"),
        "city": (str, "client.geographicalContext.city"),
        "user_agent": (str, "client.userAgent.rawUserAgent"),
        "target": Json,
    },
)
def events(tenant: Tenant) -> Iterator[Row]:
    """One event of the System Log, from `log_days` before the run's time up to the run's time."""
    until = tenant.http.as_of
    since = until - timedelta(days=tenant.log_days)
    yield from tenant.http.pages(
        "/api/v1/logs",
        paging=LinkHeader(ends_on_empty=True),
        since=_instant(since),
        until=_instant(until),
        limit=1000,
        sortOrder="ASCENDING",
    )


def _instant(moment: datetime) -> str:
    """ISO 8601 with milliseconds, as the System Log's own `published`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
