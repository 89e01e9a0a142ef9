"""One Okta organisation: its configuration, its transport, and the listing that several fetches start from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from annexa.sdk import ApiKey, Collector, Help, Http, LinkHeader, Row, Secret, Transports


@dataclass(frozen=True)
class OktaConfig:
    """One Okta organisation."""

    url: Annotated[str, Help("The organisation, https://example.okta.com")]
    token: Annotated[Secret, Help("An API token; it may read what the administrator who made it may read")]
    log_days: Annotated[int, Help("How many days of the System Log each run reads; Okta keeps 90")] = 1


@dataclass(frozen=True, slots=True)
class Tenant:
    """What a fetch gets: the transport, and how far back it reads the log."""

    http: Http
    log_days: int


def connect(config: OktaConfig, open: Transports) -> Tenant:
    """The transport of one organisation; lists are paged by `Link: rel="next"`."""
    auth = ApiKey("Authorization", config.token, prefix="SSWS ")
    http = open.http(config.url, auth=auth, paging=LinkHeader(), headers={"Accept": "application/json"})
    return Tenant(http, config.log_days)


okta = Collector(
    "okta",
    config=OktaConfig,
    connect=connect,
    docs="https://developer.okta.com/docs/api/openapi/okta-management/management/",
)


def not_deprovisioned(tenant: Tenant) -> Iterator[Row]:
    """Every user but the deprovisioned ones, whom a plain listing leaves out."""
    return tenant.http.pages("/api/v1/users", limit=200)
