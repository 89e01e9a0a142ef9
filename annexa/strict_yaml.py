"""YAML that means what it looks like: plain data, the line of every field, and no surprises.

Rules:
- A plain scalar is what the JSON schema of YAML 1.2 says (10.2): null, true, false, a number, else text. So `no`, `on`,
  `010`, `1:30`, `0x1F` and `2026-09-10` are text; `~` and nothing are null.
- Refused, with the line: a key given twice or not text, anchors, aliases and merge keys (a file of one kilobyte can
  expand to a gigabyte), tags, a second document, tabs as indentation, anything but UTF-8, more than 5 MB or 50 levels.
- Refused: characters that make a file read otherwise than it looks. YAML 1.1 parsers take U+0085, U+2028 and U+2029
  for line ends, so a key can hide in a comment; bidirectional controls reorder what is shown (CVE-2021-42574).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from annexa.errors import DocumentError

MAX_BYTES = 5_000_000
MAX_DEPTH = 50

Pointer = tuple[str | int, ...]
"""Where a value stands: the keys and indexes that lead to it."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read. `digest` is the SHA-256 of the file's bytes."""

    data: Any = field(repr=False)
    path: str
    digest: str
    lines: Mapping[Pointer, int] = field(repr=False)

    def line_of(self, pointer: Pointer = ()) -> int:
        """The line of a value (of its key, where it has one); of what should hold it, where it does not exist."""
        while pointer and pointer not in self.lines:
            pointer = pointer[:-1]
        return self.lines.get(pointer, 1)

    def at(self, pointer: Pointer) -> Any:
        """The value at a pointer that exists."""
        value = self.data
        for step in pointer:
            value = value[step]
        return value


def load(path: Path, *, error: type[DocumentError] = DocumentError) -> Document:
    """The document in a file.

    Raises:
        DocumentError: or the class given as `error`: the file cannot be read or breaks a rule above.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as failure:
        raise error(f"cannot be read: {failure.strerror}", path=str(path)) from failure
    return loads(content, str(path), error=error)


def loads(content: bytes | str, path: str = "", *, error: type[DocumentError] = DocumentError) -> Document:
    """The document in `content`; `path` stands in errors.

    Raises:
        DocumentError: as `load`.
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    builder = _Builder(path, error)
    data = builder.build(_decoded(raw, builder.refuse))
    return Document(data, path, hashlib.sha256(raw).hexdigest(), builder.lines)


Refuse = Callable[[str, int | None], NoReturn]


def _decoded(raw: bytes, refuse: Refuse) -> str:
    if len(raw) > MAX_BYTES:
        refuse(f"is larger than {MAX_BYTES:,} bytes", None)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        refuse("is not UTF-8; save the file as UTF-8", raw.count(b"\n", 0, failure.start) + 1)
    hidden = _HIDDEN.search(text)
    if hidden:
        line = text.count("\n", 0, hidden.start()) + 1
        refuse(f"the invisible character U+{ord(hidden[0]):04X}; remove it, or write it as an escape in quotes", line)
    return text


@dataclass(slots=True)
class _Open:
    """A mapping or a list that is being read; `key` is the key whose value comes next."""

    value: dict[str, Any] | list[Any]
    pointer: Pointer
    key: str | None = None


class _Builder:
    """Data and lines from the parser's events, without recursion."""

    def __init__(self, path: str, error: type[DocumentError]) -> None:
        self.path, self.error = path, error
        self.lines: dict[Pointer, int] = {}
        self.open: list[_Open] = []
        self.root: Any = None
        self.documents = 0

    def refuse(self, message: str, line: int | None) -> NoReturn:
        raise self.error(message, path=self.path, line=line)

    def build(self, text: str) -> Any:
        import yaml

        try:
            self._read(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        except yaml.MarkedYAMLError as failure:
            line = failure.problem_mark.line + 1 if failure.problem_mark else None
            advice = "; indent with spaces" if "character" in str(failure.problem) else ""
            self.refuse(f"is not YAML: {failure.problem}{advice}", line)
        except yaml.YAMLError as failure:
            self.refuse(f"is not YAML: {type(failure).__name__}", None)
        return self.root

    def _read(self, events: Iterable[Any]) -> None:
        handlers: dict[str, Callable[[Any], None]] = {
            "DocumentStartEvent": self._document,
            "AliasEvent": self._alias,
            "ScalarEvent": self._scalar,
            "MappingStartEvent": lambda event: self._start(event, {}),
            "SequenceStartEvent": lambda event: self._start(event, []),
            "MappingEndEvent": lambda event: self._end(),
            "SequenceEndEvent": lambda event: self._end(),
        }
        for event in events:
            handle = handlers.get(type(event).__name__)
            if handle:
                handle(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.refuse("a second document; one file holds one", event.start_mark.line + 1)

    def _alias(self, event: Any) -> None:
        self.refuse(f"the alias *{event.anchor}; write the value out", event.start_mark.line + 1)

    def _start(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        line = self._plain(event)
        if len(self.open) >= MAX_DEPTH:
            self.refuse(f"more than {MAX_DEPTH} levels deep", line)
        if self._at_key():
            self.refuse("a key must be text", line)
        self.open.append(_Open(value, self._place(value, line)))

    def _end(self) -> None:
        self.open.pop()

    def _scalar(self, event: Any) -> None:
        line = self._plain(event)
        value = self._resolved(event.value, line) if event.implicit[0] else event.value
        if self._at_key():
            self._key(value, event, line)
        else:
            self._place(value, line)

    def _plain(self, event: Any) -> int:
        line: int = event.start_mark.line + 1
        if event.anchor:
            self.refuse(f"the anchor &{event.anchor}; anchors and aliases are not allowed", line)
        if event.tag:
            self.refuse(f"the tag {event.tag}; tags are not allowed, put text in quotes", line)
        return line

    def _at_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None

    def _key(self, key: Any, event: Any, line: int) -> None:
        if not isinstance(key, str):
            self.refuse(f"the key {event.value or 'is empty'}: a key must be text; put it in quotes", line)
        if key == "<<" and event.implicit[0]:
            self.refuse("the merge key <<; write the fields out", line)
        parent = self.open[-1]
        pointer = (*parent.pointer, key)
        if pointer in self.lines:
            self.refuse(f"the key {key} is given twice, first in line {self.lines[pointer]}", line)
        self.lines[pointer] = line
        parent.key = key

    def _place(self, value: Any, line: int) -> Pointer:
        if not self.open:
            self.root, self.lines[()] = value, line
            return ()
        parent = self.open[-1]
        if isinstance(parent.value, list):
            pointer: Pointer = (*parent.pointer, len(parent.value))
            parent.value.append(value)
            self.lines[pointer] = line
            return pointer
        key = parent.key or ""
        parent.value[key], parent.key = value, None
        return (*parent.pointer, key)

    def _resolved(self, text: str, line: int) -> Any:
        """A plain scalar's value."""
        if text in _WORDS:
            return _WORDS[text]
        if not _NUMBER.fullmatch(text):
            return text
        if not _INTEGER.fullmatch(text):
            number = float(text)
            return number if math.isfinite(number) else self.refuse(f"{text} is too large a number", line)
        if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
            self.refuse("a number that does not fit in 64 bits; put it in quotes if it is a name", line)
        return int(text)
