"""Scopes and transports as a collector sees them: what it may ask, and how it says who asks and how lists end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from annexa.sdk.tables import Row, Table
from annexa.secrets import Secret


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of a source that is fetched, and can fail, on its own: an account, a region, a project.

    `level` is matched with a fetch's `per`; `name` is unique within the source and is shown to people;
    `values` are what the collector needs to reach it.
    """

    name: str
    level: str = "source"
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


GLOBAL = Scope("global")


@dataclass(frozen=True, slots=True)
class Bearer:
    """`Authorization: Bearer …` (RFC 6750)."""

    token: Secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in a header of the vendor's choice."""

    header: str
    key: Secret
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Basic:
    """`Authorization: Basic …` (RFC 7617)."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749, 4.4). The token exchange itself is never recorded."""

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str = ""


Auth = Bearer | ApiKey | Basic | ClientCredentials


@dataclass(frozen=True, slots=True)
class LinkHeader:
    """`Link: <…>; rel="next"` (RFC 8288). `ends_on_empty`: the vendor always gives a next link (Okta's log)."""

    total: str = ""
    ends_on_empty: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """The answer holds a cursor at `field`, which goes into the query as `param`; absent or empty ends the list."""

    param: str
    field: str
    total: str = ""


@dataclass(frozen=True, slots=True)
class NextLink:
    """The answer holds the address of the next page at `field` (`@odata.nextLink`); it is opaque."""

    field: str
    total: str = ""


@dataclass(frozen=True, slots=True)
class Offset:
    """`offset` and `limit` in the query; ends at `more: false`, at the declared total, or at an empty page."""

    limit: int = 100
    offset_param: str = "offset"
    limit_param: str = "limit"
    more: str = ""
    total: str = ""


@dataclass(frozen=True, slots=True)
class PageNumber:
    """`page` and `per_page` in the query; ends at the declared total or an empty page (vendors clamp `size`)."""

    size: int = 100
    page_param: str = "page"
    size_param: str = "per_page"
    total: str = ""


Paging = LinkHeader | Cursor | NextLink | Offset | PageNumber


class Parts(Protocol):
    """What every transport can do besides asking."""

    @property
    def scope(self) -> Scope:
        """The scope that is being fetched."""
        ...

    @property
    def as_of(self) -> datetime:
        """The run's time, UTC: the only clock a fetch may read, recorded with the shard for its replay."""
        ...

    def part(self, name: str) -> AbstractContextManager[None]:
        """One item among many: a `CollectError` inside is noted, makes the shard incomplete, and is swallowed."""
        ...


class Http(Parts, Protocol):
    """JSON over HTTP: recorded, retried, rate-limited, same-origin."""

    def get(self, path: str, **params: str | int | bool) -> Any:
        """The JSON answer of one GET. Raises `NotFound`, `Denied`, `Unreadable` or `CollectError`."""
        ...

    def pages(
        self, path: str, *, items: str = "", paging: Paging | None = None, **params: str | int | bool
    ) -> Iterator[Row]:
        """Every item of a paged list, in order. `items` is the dotted path of the list within an answer."""
        ...


class Aws(Parts, Protocol):
    """AWS operations by their botocore names; each is recorded as the HTTP exchange it is."""

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """The parsed answer of one operation (`call("iam", "get_account_summary")`) in the scope's region."""
        ...

    def pages(self, service: str, operation: str, items: str, **params: Any) -> Iterator[Row]:
        """Every item at the dotted path `items` over all pages of botocore's own paginator."""
        ...

    def body(self, service: str, operation: str, field: str, **params: Any) -> Iterator[bytes]:
        """The streamed body of an operation such as `s3.get_object`, in chunks, decompressed if it is gzip."""
        ...


class Files(Parts, Protocol):
    """Files on disk: CSV, JSON Lines, JSON, XLSX. The bytes are recorded as they are read."""

    def rows(
        self, path: Path, *, format: str = "", sheet: str = "", delimiter: str = "", encoding: str = "utf-8-sig"
    ) -> Iterator[Row]:
        """Every record of a file as a mapping of header to value. The format is taken from the ending by default."""
        ...


class Transports(Protocol):
    """Opens recorded transports for the scope that is being fetched."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that are being filled; none while scopes are being discovered."""
        ...

    @property
    def scope(self) -> Scope:
        """The scope that is being fetched; `GLOBAL` while scopes are being discovered."""
        ...

    @property
    def as_of(self) -> datetime:
        """The run's time, UTC: the only clock a fetch may read, recorded with the shard for its replay."""
        ...

    def http(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        paging: Paging | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Http:
        """HTTP below one origin."""
        ...

    def aws(
        self,
        *,
        region: str,
        profile: str = "",
        access_key_id: Secret | None = None,
        secret_access_key: Secret | None = None,
        session_token: Secret | None = None,
        role_arn: str = "",
        external_id: Secret | None = None,
        endpoint_url: str = "",
    ) -> Aws:
        """AWS with the usual credential chain, or the given keys, then the role if one is named."""
        ...

    def files(self) -> Files:
        """Files on this host."""
        ...
