"""config.yaml → `Config`."""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from annexa.ages import age, size
from annexa.config.model import Checks, Config, Ledger, Scan, SourceConfig
from annexa.config.state import database_url
from annexa.errors import ConfigError
from annexa.schemas import schema, validate
from annexa.secrets import SCHEMES, Secret
from annexa.strict_yaml import Document, Pointer
from annexa.strict_yaml import load as load_yaml

SCHEMA = "schemas/config.schema.json"


def load(path: Path) -> Config:
    """The configuration in a file. Nothing else is read: no secret, no pack, no source.

    Raises:
        ConfigError: with line, field, and what is expected.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise ConfigError(
            "does not exist", path=str(path), remedy="`annexa init` writes one; -c FILE names one that is elsewhere."
        )
    document = load_yaml(path, error=ConfigError)
    validate(document, schema(SCHEMA), error=ConfigError)
    data, base = document.data, path.parent
    return Config(
        path=path,
        company=data["company"],
        state=_state(document, base),
        evidence=_folder(document, base),
        packs=tuple(_pack(entry, base) for entry in _value(data, "packs")),
        ledger=_ledger(_section(data, "ledger"), data["company"], base),
        sources={name: _source(name, raw, document) for name, raw in _value(data, "sources").items()},
        scan=_scan(_section(data, "scan")),
        checks=_checks(_section(data, "checks")),
        document=document,
    )


def verify_checks(config: Config, checks: Mapping[str, Document]) -> None:
    """Nothing, if the checks and the parameters that the configuration names exist in the packs.

    Raises:
        ConfigError: a name is misspelt (left alone, it would exclude or tune nothing without a word), or a parameter is
            of another type than the check's own.
    """
    for index, check in enumerate(config.checks.exclude):
        _known(config, check, checks, ("checks", "exclude", index), "check")
    for check, values in config.checks.params.items():
        _known(config, check, checks, ("checks", "params", check), "check")
        own = checks[check].data.get("params", {})
        for name, value in values.items():
            pointer: Pointer = ("checks", "params", check, name)
            _known(config, name, own, pointer, f"parameter of {check}")
            if _kind(value) != _kind(own[name]):
                text = f"is {_kind(value)}, expected {_kind(own[name])}, as the check has it: {own[name]!r}"
                raise _misfit(config, pointer, text)


def _known(config: Config, name: str, known: Collection[str], pointer: Pointer, what: str) -> None:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "`annexa checks list` names the checks"
        raise _misfit(config, pointer, f"there is no {what} named {name}; {hint}")


def _misfit(config: Config, pointer: Pointer, text: str) -> ConfigError:
    line = config.document.line_of(pointer)
    return ConfigError(text, path=str(config.path), line=line, field=".".join(map(str, pointer)))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "a list" if isinstance(value, list) else "text"


def _value(data: dict[str, Any], name: str) -> Any:
    """A top-level field, or the default that the schema gives it."""
    return data.get(name, schema(SCHEMA)["properties"][name]["default"])


def _section(data: dict[str, Any], name: str) -> dict[str, Any]:
    """A section with the defaults of the fields that it leaves out."""
    fields = schema(SCHEMA)["properties"][name]["properties"]
    defaults = {field: spec["default"] for field, spec in fields.items() if "default" in spec}
    return {**defaults, **data.get(name, {})}


def _state(document: Document, base: Path) -> str | Secret:
    text = _value(document.data, "state")
    if text.partition(":")[0] in SCHEMES:
        return Secret(text, base)
    return database_url(text, base, path=document.path, line=document.line_of(("state",)))


def _folder(document: Document, base: Path) -> Path:
    text = _value(document.data, "evidence")
    if "://" in text:
        raise ConfigError(
            "object stores are not supported in this version; expected a folder",
            path=document.path,
            line=document.line_of(("evidence",)),
            field="evidence",
            remedy="Name a folder, such as ./evidence; a mounted file system will do.",
        )
    return _path(text, base)


def _path(text: str, base: Path) -> Path:
    return base / Path(text).expanduser()


def _pack(entry: str, base: Path) -> Path | str:
    """A folder where it looks like one (`.`, `./x`, `x/y`, `~`), else the name of an installed pack."""
    return _path(entry, base) if "/" in entry or entry.startswith((".", "~")) else entry


def _ledger(section: dict[str, Any], company: str, base: Path) -> Ledger:
    return Ledger(section.get("origin") or f"annexa.invalid/{_slug(company)}", _path(section["key"], base))


def _slug(company: str) -> str:
    """`Example Ltd` → `example-ltd`; a name without Latin letters and digits gives part of its digest."""
    plain = unicodedata.normalize("NFKD", company).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or hashlib.sha256(company.encode()).hexdigest()[:12]


def _source(name: str, raw: dict[str, Any], document: Document) -> SourceConfig:
    max_age = age(raw["max_age"]) if "max_age" in raw else None
    return SourceConfig(name, raw["collector"], max_age, raw, document)


def _scan(section: dict[str, Any]) -> Scan:
    return Scan(
        workers=section["workers"],
        fail_on=section["fail_on"],
        deadline=age(section["deadline"]),
        check_timeout=age(section["check_timeout"]),
        check_memory=size(section["check_memory"]),
    )


def _checks(section: dict[str, Any]) -> Checks:
    return Checks(tuple(section["exclude"]), section["params"])
