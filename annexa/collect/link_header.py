"""The `Link` header (RFC 8288), read so that a next page is never overlooked.

A header that cannot be read to its end is an error: what stands in the part that was not understood may be the link to
the rest of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from annexa.collect.exchange import Response
from annexa.errors import Unreadable

_LINK = re.compile(
    r"[\s,]*<(?P<target>[^<>]*)>"
    r"(?P<params>(?:\s*;\s*(?:[\w!#$%&'*+.^`|~-]+\s*(?:=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s\",;]*))?)?)*)\s*(?=,|$)"
)
_PARAM = re.compile(
    r";\s*(?P<name>[\w!#$%&'*+.^`|~-]+)\s*=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\s\",;]*))"
)


def next_link(response: Response) -> str:
    """The target of the link whose relation is `next`; empty when there is none.

    Raises:
        Unreadable: the header is malformed, or names two different next pages.
    """
    headers = [value for name, value in response.headers if name.lower() == "link"]
    targets = {target for value in headers for target, relations in _links(value) if "next" in relations}
    if len(targets) > 1:
        raise Unreadable("the Link header names more than one next page")
    return next(iter(targets), "")


def _links(value: str) -> Iterator[tuple[str, list[str]]]:
    """Target and relations of every link of one header, but not of those about another resource (`anchor`)."""
    at = 0
    while value[at:].strip(" \t,"):
        found = _LINK.match(value, at)
        if found is None:
            raise Unreadable(f"the Link header cannot be read from character {at + 1} on")
        params: dict[str, str] = {}
        for param in _PARAM.finditer(found["params"]):
            quoted = param["quoted"]
            text = param["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            params.setdefault(param["name"].lower(), text)
        if "anchor" not in params:
            yield found["target"], params.get("rel", "").lower().split()
        at = found.end()
