"""The catalogue of controls over all packs: a later pack refines controls, field by field, or adds its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annexa.errors import PackError
from annexa.packs.content import CATALOGUE, Override, read
from annexa.packs.folder import Pack
from annexa.strict_yaml import Document

_COMPLETE = ("title", "theme", "attributes", "intent", "automation", "evidence", "attest", "sources")


def merged(packs: Iterable[Pack]) -> tuple[dict[str, Any], list[Override]]:
    """The catalogue, in the shape of the file, and which controls were refined by which pack.

    Raises:
        PackError: a control is named twice in a file, or is new and lacks a field.
    """
    file, schema_name = CATALOGUE
    whole: dict[str, Any] = {}
    controls: dict[str, dict[str, Any]] = {}
    last: dict[str, str] = {}
    overrides = []
    for pack in packs:
        if file not in pack.files:
            continue
        document = read(pack, file, schema_name)
        whole = whole or {name: document.data[name] for name in ("catalogue", "version")}
        for identifier, fields in _controls(document, known=frozenset(controls)).items():
            if identifier in last:
                overrides.append(Override("control", identifier, pack.name, last[identifier]))
            controls[identifier] = {**controls.get(identifier, {}), **fields}
            last[identifier] = pack.name
    return {**whole, "controls": list(controls.values())}, overrides


def _controls(document: Document, known: frozenset[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for index, control in enumerate(document.data["controls"]):
        identifier, line = control["id"], document.line_of(("controls", index))
        if identifier in found:
            raise PackError(f"{identifier} is listed twice", path=document.path, line=line)
        missing = [field for field in _COMPLETE if field not in control]
        if identifier not in known and missing:
            text = f"{identifier} is not in an earlier pack, and {', '.join(missing)} are missing"
            raise PackError(text, path=document.path, line=line)
        found[identifier] = control
    return found
