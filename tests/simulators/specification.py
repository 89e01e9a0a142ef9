"""A vendor's OpenAPI description, as far as a simulator and a collector are held against it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest

from tests.simulators.server import Asked


class Specification:
    """One OpenAPI file. It was trimmed, so it is not validated itself; requests are validated against it."""

    def __init__(self, path: Path) -> None:
        self._root: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self._root["servers"] = [{"url": "https://vendor.example.com"}]
        self._requests = OpenAPI.from_dict(self._root, config=Config(spec_validator_cls=None))

    def judge(self, asked: Asked) -> None:
        """Raises when the request has an unknown path or method, a parameter nobody declared, or a wrong value."""
        url = f"https://vendor.example.com{asked.path}"
        request = requests.Request(asked.method, url, headers=dict(asked.headers), params=dict(asked.query))
        self._requests.validate_request(RequestsOpenAPIRequest(request))
        operation = self.operation(asked.path)
        declared = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
        assert set(asked.query) <= declared, f"{asked.path}: {set(asked.query) - declared} are not declared"

    def operation(self, path: str) -> dict[str, Any]:
        """The GET at a path or path template, its own parameters and those of the path resolved."""
        template = path if path in self._root["paths"] else next(self._templates(path))
        item = self._root["paths"][template]
        parameters = [self._resolved(one) for one in [*item.get("parameters", []), *item["get"].get("parameters", [])]]
        return {**item["get"], "parameters": parameters}

    def item(self, path: str) -> Any:
        """The schema of what a 200 holds: of one item when it is a list."""
        schema = self._resolved(self.operation(path)["responses"]["200"]["content"]["application/json"]["schema"])
        return self._resolved(schema["items"]) if schema.get("type") == "array" else schema

    def children(self, schema: Any, key: str) -> list[Any]:
        """The schemas that a key may have, through every `allOf`, `oneOf` and `anyOf`; none: it is not declared."""
        return [
            self._resolved(one["properties"][key]) for one in self._parts(schema) if key in one.get("properties", ())
        ]

    def declares(self, schema: Any, path: str) -> bool:
        """Whether a dotted path leads to something that the schema names."""
        schemas = [schema]
        for key in path.split("."):
            schemas = [child for one in schemas for child in self.children(one, key)]
        return bool(schemas)

    def undeclared(self, schema: Any, value: Any, above: str = "") -> Iterator[str]:
        """The dotted paths in a value that the schema does not name; what is free-form is not gone into."""
        if isinstance(value, list):
            inner = [self._resolved(part["items"]) for part in self._parts(schema) if "items" in part]
            for element in value:
                if inner:
                    yield from self.undeclared(inner[0], element, above)
        elif isinstance(value, Mapping) and any(part.get("properties") for part in self._parts(schema)):
            for key, child in value.items():
                found = self.children(schema, key)
                if found:
                    yield from self.undeclared({"anyOf": found}, child, f"{above}{key}.")
                elif not any(part.get("additionalProperties") for part in self._parts(schema)):
                    yield f"{above}{key}"

    def _parts(self, schema: Any) -> list[dict[str, Any]]:
        """A schema and all that it is put together from, or may turn out to be."""
        parts: list[dict[str, Any]] = []
        waiting = [schema]
        while waiting:
            part = self._resolved(waiting.pop(0))
            if all(part is not known for known in parts):
                parts.append(part)
                waiting += [one for word in ("allOf", "oneOf", "anyOf") for one in part.get(word, ())]
                waiting += [{"$ref": ref} for ref in part.get("discriminator", {}).get("mapping", {}).values()]
        return parts

    def _templates(self, path: str) -> Iterator[str]:
        for template in self._root["paths"]:
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
                yield template

    def _resolved(self, schema: Any) -> Any:
        while "$ref" in schema:
            found: Any = self._root
            for key in schema["$ref"].removeprefix("#/").split("/"):
                found = found[key.replace("~1", "/").replace("~0", "~")]
            schema = found
        return schema
