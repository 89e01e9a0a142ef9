"""Common entities: one table for what every vendor has in its own words, so that one check covers them all.

An entity is one YAML file, mappings/entities/<name>.yaml (entity.schema.json has every field):

    name: account
    description: An account by which somebody or something can sign in.
    key: id                                  # or a list; unique within one source and scope
    columns:
      id: {type: text, description: "The vendor's id"}
      email: {type: text, description: "Lower case"}
      mfa: {type: boolean, description: "A second factor is enrolled; null where the vendor does not say"}
    feeds:
      okta_user:                             # the vendor table that carries the rows
        also: [okta_factor]                  # other tables (or entities) that the SQL reads
        select: |
          select u.source, u.scope, u.id, lower(u.email) as email, count(f.id) > 0 as mfa
          from okta_user u left join okta_factor f on f.user_id = u.id and f.source = u.source
          group by all

Rules:
- A feed is in use when its vendor table is fed by a configured source. It must then give `source` and `scope`, and
  any of the entity's columns; those it does not give are null. Values are cast to the declared types.
- Rows that were collected under the entity's own name (exported files) are added as they are.
- An entity is complete only when everything that feeds it is: a gap of a feed is a gap of the entity, and its age
  is that of its oldest segment. A table under `also` that no source feeds is a gap.
- The SQL passes the same gate as a check's, and knows no `$as_of`: an entity is what was seen, not what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from annexa.assess.evidence import refuse_reserved
from annexa.errors import PackError
from annexa.sdk.tables import Column, ColumnType, Table

COLLECTED = "collected_"
"""Prefix of the table that holds rows collected under an entity's own name."""


@dataclass(frozen=True, slots=True)
class Feed:
    """How one vendor table gives rows of an entity; `tables` are all that its SQL may read, the vendor's first."""

    tables: tuple[str, ...]
    select: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A common entity; `feeds` by vendor table; `digest` is the SHA-256 of its file."""

    name: str
    table: Table
    feeds: Mapping[str, Feed]
    digest: str

    @classmethod
    def of(cls, mapping: Mapping[str, Any], path: str, digest: str) -> Entity:
        """An entity from a document that entity.schema.json accepts.

        Raises:
            PackError: A column has a reserved name, or the key names none of the columns.
        """
        columns = tuple(Column(name, ColumnType(spec["type"]), name) for name, spec in mapping["columns"].items())
        table = Table(mapping["name"], columns, _key(mapping.get("key", ())), mapping["description"])
        unknown = set(table.key) - set(mapping["columns"])
        if unknown:
            raise PackError(f"{sorted(unknown)} is not among the columns", path=path, field="key")
        refuse_reserved(table)
        feeds = {
            vendor: Feed((vendor, *feed.get("also", ())), feed["select"])
            for vendor, feed in mapping.get("feeds", {}).items()
        }
        return cls(mapping["name"], table, feeds, digest)


def build_order(entities: Mapping[str, Entity]) -> tuple[str, ...]:
    """The entities' names so that each comes after those that its feeds read.

    Raises:
        PackError: Entities read each other in a circle.
    """
    graph = {
        name: {table for feed in entity.feeds.values() for table in feed.tables if table in entities}
        for name, entity in sorted(entities.items())
    }
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as problem:
        circle = " reads ".join(problem.args[1])
        raise PackError(f"entities read each other in a circle: {circle}", field="feeds") from problem


def _key(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
