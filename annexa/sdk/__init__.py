"""All that a collector may import.

A collector reads one kind of system and changes nothing in it. It declares its configuration (a frozen dataclass),
how to connect, and fetches: generators that ask the system and yield what it answered, row by row, unchanged. The
engine does the rest: paging, retries, rate limits, recording, redaction, typing, completeness and sealing.

    @dataclass(frozen=True)
    class OktaConfig:
        url: Annotated[str, Help("The tenant, https://example.okta.com")]
        token: Annotated[Secret, Help("An API token of a read-only administrator")]

    def connect(config: OktaConfig, open: Transports) -> Http:
        return open.http(config.url, auth=ApiKey("Authorization", config.token, prefix="SSWS "), paging=LinkHeader())

    okta = Collector("okta", config=OktaConfig, connect=connect, docs="https://developer.okta.com/docs/api/")

    @okta.table("okta_user", key="id", permissions=["okta.users.read"], columns={
        "id": str, "status": str, "created": Timestamp, "email": (str, "profile.email"),
    })
    def users(api: Http) -> Iterator[Row]:
        \"\"\"Every user of the tenant, deprovisioned ones included.\"\"\"
        yield from api.pages("/api/v1/users", limit=200)

Rules:
- A fetch yields rows as the vendor gave them; the columns' paths pick out of them. What is not declared stays in the
  recorded exchange and is reported as unknown, never guessed at.
- An exception that leaves a fetch makes its shard `failed`, `denied` or `incomplete`. Catch `NotFound` only where the
  vendor documents that 404 is the answer ("no branch protection"). Wrap one item among many in `api.part(name)`:
  its failure makes the shard incomplete, and the loop goes on.
- A fetch reads no clock, no environment, no file and no network except through its transport: it must give the
  same rows again when the recorded exchanges are replayed.
"""

from __future__ import annotations

from msgspec import Meta

from annexa.errors import CollectError, Denied, NotFound, Unavailable, Unreadable
from annexa.sdk.collector import Collector, Fetch
from annexa.sdk.tables import Column, ColumnType, Entities, Json, Row, Strings, Table, TableRow, Timestamp
from annexa.sdk.transports import (
    GLOBAL,
    ApiKey,
    Auth,
    Aws,
    Basic,
    Bearer,
    ClientCredentials,
    Cursor,
    Files,
    Http,
    LinkHeader,
    NextLink,
    Offset,
    PageNumber,
    Paging,
    Scope,
    Transports,
)
from annexa.secrets import Secret

__all__ = [
    "GLOBAL",
    "ApiKey",
    "Auth",
    "Aws",
    "Basic",
    "Bearer",
    "ClientCredentials",
    "CollectError",
    "Collector",
    "Column",
    "ColumnType",
    "Cursor",
    "Denied",
    "Entities",
    "Fetch",
    "Files",
    "Help",
    "Http",
    "Json",
    "LinkHeader",
    "NextLink",
    "NotFound",
    "Offset",
    "PageNumber",
    "Paging",
    "Row",
    "Scope",
    "Secret",
    "Strings",
    "Table",
    "TableRow",
    "Timestamp",
    "Transports",
    "Unavailable",
    "Unreadable",
]


def Help(description: str) -> Meta:
    """The help text of a configuration field; it stands in the published JSON Schema and in the reference."""
    return Meta(description=description)
