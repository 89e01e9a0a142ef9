"""A collector's settings: its configuration dataclass as JSON Schema, and an instance of it from a source.

Field types are what msgspec knows, and `Secret` (a reference), `Path` (relative to config.yaml, as are the files of
secrets) and `timedelta` (an age such as 24h).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from annexa.ages import AGE, age, age_text
from annexa.config.model import SourceConfig
from annexa.errors import ConfigError, PackError
from annexa.schemas import schema, validate
from annexa.secrets import Secret

if TYPE_CHECKING:
    from annexa.sdk import Collector

_RESERVED = ("collector", "max_age")


@cache
def settings_schema(collector: Collector) -> dict[str, Any]:
    """The JSON Schema of a source that this collector reads, `collector` and `max_age` included.

    Raises:
        PackError: the collector's configuration has a field of a type that YAML cannot give, or of a reserved name.
    """
    import msgspec

    config = collector.config
    try:
        (_,), definitions = msgspec.json.schema_components(
            [config], schema_hook=_type_schema, ref_template=f"#/$defs/{collector.name}.{{name}}"
        )
    except TypeError as failure:
        raise PackError(f"collector {collector.name}: {config.__name__}: {failure}") from failure
    named = {f"{collector.name}.{name}": _strict(definition) for name, definition in definitions.items()}
    root = named[f"{collector.name}.{config.__name__}"]
    _add_common_fields(root, collector)
    return {"$ref": f"#/$defs/{collector.name}.{config.__name__}", "$defs": named}


def settings(collector: Collector, source: SourceConfig) -> Any:
    """An instance of the collector's configuration dataclass, with secrets as references and paths made absolute.

    Raises:
        ConfigError: a field is unknown, missing or not what it should be; with its line.
    """
    import msgspec

    validate(source.document, settings_schema(collector), error=ConfigError, at=("sources", source.name))
    values = {name: value for name, value in source.raw.items() if name not in _RESERVED}
    ages = _ages(collector.config)
    values |= {name: age(value) for name, value in values.items() if name in ages and value is not None}
    try:
        return msgspec.convert(values, collector.config, dec_hook=lambda kind, value: _typed(kind, value, source.base))
    except msgspec.ValidationError as failure:
        raise ConfigError(
            str(failure), path=source.document.path, line=source.line, field=f"sources.{source.name}"
        ) from failure


def config_schema(collectors: Iterable[Collector]) -> dict[str, Any]:
    """The JSON Schema of the whole config.yaml, for editors: each source is checked as its collector asks."""
    whole = copy.deepcopy(schema("schemas/config.schema.json"))
    source, choices = whole["$defs"]["source"], []
    listed = sorted(collectors, key=lambda collector: collector.name)
    for collector in listed:
        own = settings_schema(collector)
        whole["$defs"] |= own["$defs"]
        chosen = {"properties": {"collector": {"const": collector.name}}, "required": ["collector"]}
        choices.append({"if": chosen, "then": {"$ref": own["$ref"]}})
    source["properties"]["collector"]["enum"] = [collector.name for collector in listed]
    source["allOf"] = choices
    return whole


def _type_schema(kind: type) -> dict[str, Any]:
    """The schema of a type that msgspec does not know."""
    if kind is Secret:
        return {"type": "string", "pattern": "^(env|file|keyring):.+", "writeOnly": True}
    if issubclass(kind, Path):
        return {"type": "string", "minLength": 1, "x-expected": "a path, relative to config.yaml"}
    raise TypeError(f"the type {kind.__name__} cannot be written in YAML")


def _typed(kind: type, value: Any, base: Path) -> Any:
    """A value of such a type."""
    return Secret(value, base) if kind is Secret else base / kind(value).expanduser()


def _strict(definition: Any) -> Any:
    """The schema without room for unknown fields, and with ages for durations."""
    if isinstance(definition, list):
        return [_strict(item) for item in definition]
    if not isinstance(definition, dict):
        return definition
    strict = {key: _strict(value) for key, value in definition.items()}
    if strict.get("format") == "duration":
        del strict["format"]
        strict |= {"pattern": AGE, "x-expected": "a time such as 90s, 30m, 24h or 7d"}
        strict |= {"default": age_text(_duration(strict["default"]))} if strict.get("default") else {}
    return {**strict, "additionalProperties": False} if isinstance(strict.get("properties"), dict) else strict


def _duration(text: str) -> timedelta:
    import msgspec

    return msgspec.convert(text, timedelta)


def _add_common_fields(root: dict[str, Any], collector: Collector) -> None:
    own = root["properties"]
    for name in _RESERVED:
        if name in own:
            raise PackError(f"collector {collector.name}: the setting {name} has the name of a field of every source")
    common = schema("schemas/config.schema.json")["$defs"]
    root["properties"] = {
        "collector": {**common["source"]["properties"]["collector"], "const": collector.name},
        **own,
        "max_age": {**common["age"], "description": common["source"]["properties"]["max_age"]["description"]},
    }
    root["required"] = ["collector", *root.get("required", [])]


def _ages(config: type) -> frozenset[str]:
    """The top-level fields that are ages."""
    hints = get_type_hints(config)
    return frozenset(f.name for f in fields(config) if timedelta in (hints[f.name], *get_args(hints[f.name])))
