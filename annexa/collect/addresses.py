"""Addresses: what stays below a source's base address, what counts as the same origin, what counts as the same request.

An origin is scheme, host and port (RFC 6454). A credential is only ever sent to the origin it was configured for, so
every address that a system hands out (a next link, a redirect) is held against it first. Addresses that parsers read
differently (`https://example.com\\@evil.example`, control characters, user information) are refused, not mended.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from annexa.errors import CollectError

Params = Mapping[str, str | int | bool]

_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_KEPT_IN_PATH = "/%:@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port; the port is the scheme's own when the address names none."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def origin(url: str) -> Origin:
    """The origin of an http or https address.

    Raises:
        CollectError: it is none, or parsers may disagree about it.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise CollectError(
            "an address is not a plain http or https address",
            remedy="Write it as https://host or https://host/path, without user or password.",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Origin(parts.scheme, host.lower(), parts.port or _PORTS[parts.scheme])


def base(url: str) -> str:
    """A source's address as paths are joined to it: without a slash at its end.

    Raises:
        CollectError: it holds a query or a fragment, or is no http(s) address.
    """
    origin(url)
    if "?" in url or "#" in url:
        raise CollectError("the address of a source cannot have a query or a fragment", remedy="Leave out ? and #.")
    return url.rstrip("/")


def below(base_url: str, path: str, params: Params | None = None) -> str:
    """The address of `path` below `base_url`, with a query.

    Raises:
        CollectError: the path would leave the base, or holds `?`, `#`, a backslash or a control character, which
            means that a name in it was not quoted.
    """
    climbs = any(unquote(segment) in (".", "..") for segment in path.split("/"))
    if climbs or re.search(r"[\x00-\x1f\x7f\\?#]", path) or path.lower().startswith(("http:", "https:")):
        raise CollectError(
            f"the path {path[:200]!r} does not stay below the source's address",
            remedy="Quote what goes into a path with urllib.parse.quote(name, safe='').",
        )
    return with_query(f"{base_url}/{quote(path.lstrip('/'), safe=_KEPT_IN_PATH)}", params or {})


def with_query(url: str, params: Params) -> str:
    """An address with parameters; true and false are written in small letters, as JSON does."""
    if not params:
        return url
    return f"{url}?{urlencode([(name, _text(value)) for name, value in params.items()], quote_via=quote)}"


def follow(current: str, link: str) -> str:
    """The address that a system's link means, seen from the address it came with.

    Raises:
        CollectError: it leads to another origin, or parsers may disagree about where it leads.
    """
    home = origin(current)
    try:
        there = urljoin(current, link)
        elsewhere = origin(there)
    except (CollectError, ValueError) as failure:
        raise CollectError(f"{home} gave a link that is not a plain http or https address") from failure
    if elsewhere != home:
        raise CollectError(
            f"{home} sends on to {elsewhere}: another origin, to which the credential is not sent",
            remedy=f"If the system has moved there, set the source's address to {elsewhere}.",
        )
    return urlunsplit(urlsplit(there)._replace(fragment=""))


def normal(url: str) -> str:
    """An address such that two that ask for the same are equal: case of the host, default port, order, escapes."""
    parts = _split(url)
    if parts is None:
        return url
    query = sorted(parse_qsl(parts.query, keep_blank_values=True), key=lambda pair: pair[0])
    port = f":{parts.port}" if parts.port and parts.port != _PORTS.get(parts.scheme) else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    path = quote(unquote(parts.path.replace("%2F", "%252F").replace("%2f", "%252F")), safe=_KEPT_IN_PATH) or "/"
    return urlunsplit((parts.scheme.lower(), f"{host.lower()}{port}", path, urlencode(query, quote_via=quote), ""))


def place(url: str) -> str:
    """The part of an address that may stand in a message: no query, which may hold secrets or personal data."""
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


def _split(url: str) -> SplitResult | None:
    if _UNSAFE.search(url):
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
