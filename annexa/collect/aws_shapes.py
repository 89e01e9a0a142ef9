"""Is an answer of the operation's own form?

botocore is lenient: it reads a proxy's page of HTML, an empty body or another operation's answer as an empty list, and
an empty list would look like "none". So an answer that says success must show its operation's form before it is parsed.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.parsers import expat

from annexa.errors import Unreadable

_HEAD = 4096
_SPACE = re.compile(rb"\s+")


def require_recognised(operation_model: Any, response_dict: dict[str, Any], event_name: str = "", **_: Any) -> None:
    """A `before-parse` handler.

    Raises:
        Unreadable: the answer is not of the form that the operation's model describes.
    """
    shape, body = operation_model.output_shape, response_dict["body"]
    if response_dict["status_code"] >= 300 or shape is None or not isinstance(body, bytes) or not _in_body(shape):
        return
    protocol = operation_model.service_model.resolved_protocol
    known = {"query": _tagged, "ec2": _tagged, "rest-xml": _xml}.get(protocol, _json)
    if not known(operation_model, body):
        start = _SPACE.sub(b" ", body[:60]).decode("utf-8", "replace")
        raise Unreadable(
            f"{event_name.partition('.')[2]}: the answer is not of this operation's form: {start!r}",
            remedy="Something between this host and AWS may have answered: a proxy, a portal, another endpoint_url.",
        )


def _in_body(shape: Any) -> bool:
    """Whether the answer's body carries anything at all that the model knows."""
    return any("location" not in member.serialization for member in shape.members.values())


def _tagged(operation: Any, body: bytes) -> bool:
    """The query protocols wrap every answer: `<ListUsersResponse …><ListUsersResult>`."""
    head = body[:_HEAD]
    wrapper = operation.output_shape.serialization.get("resultWrapper", "")
    return b"<%sResponse" % operation.name.encode() in head and b"<" + wrapper.encode() in head


def _xml(operation: Any, body: bytes) -> bool:
    """S3 has no common wrapper: at least one child must be known, unless the element is empty (`no logging`)."""
    shape = operation.output_shape
    payload = shape.serialization.get("payload")
    if payload:
        shape = shape.members[payload]
        if shape.type_name != "structure":
            return True
    tags = _top(body)
    return bool(tags) and (bool(set(tags[1:]) & _names(shape)) if tags[1:] else tags[0].lower() != "html")


def _top(body: bytes) -> list[str]:
    """The root's name and its children's; nothing when it is not XML to its end."""
    tags: list[str] = []
    depth = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth <= 2:
            tags.append(name.rpartition(" ")[2])

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        return []
    return tags


def _names(shape: Any) -> set[str]:
    names: set[str] = set()
    for name, member in shape.members.items():
        names.add(member.serialization.get("name", name))
        if member.type_name == "list" and member.serialization.get("flattened"):
            names.add(member.member.serialization.get("name", name))
    return names


def _json(operation: Any, body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    known = {member.serialization.get("name", name) for name, member in operation.output_shape.members.items()}
    return isinstance(answer, dict) and (not answer or bool(known & answer.keys()))
