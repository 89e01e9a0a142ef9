"""The collector and its fetches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annexa.errors import PackError
from annexa.sdk.tables import ColumnSpec, Entities, Row, Table, TableRow
from annexa.sdk.transports import Scope, Transports


@dataclass(frozen=True, slots=True)
class Fetch:
    """One unit of collecting: a generator, the tables it fills, and what it needs.

    `tables` is a tuple, or a function of configuration and entities where the user decides (exported files). `when`
    says for which configurations it is done at all; where it is not, its tables have no source.
    """

    name: str
    run: Callable[[Any], Iterator[Row | TableRow]]
    tables: tuple[Table, ...] | Callable[[Any, Entities], tuple[Table, ...]]
    permissions: tuple[str, ...]
    per: str
    doc: str
    when: Callable[[Any], bool] | None = None

    def tables_for(self, config: Any, entities: Entities) -> tuple[Table, ...]:
        """The tables that this fetch fills for a source with this configuration; none where it is not done."""
        if self.when is not None and not self.when(config):
            return ()
        return self.tables(config, entities) if callable(self.tables) else self.tables


Grant = Callable[[Iterable[str], Sequence[Any]], str]


class Collector:
    """One kind of system.

    Args:
        name: As config.yaml's `collector:` names it.
        config: A frozen dataclass; fields are `Annotated[type, Help("…")]`, secrets are of type `Secret`.
        connect: Makes the transport from the configuration; it must not ask the system anything yet.
        docs: The vendor's own reference.
    """

    def __init__(
        self,
        name: str,
        *,
        config: type,
        connect: Callable[[Any, Transports], Any],
        docs: str,
    ) -> None:
        self.name = name
        self.config = config
        self.connect = connect
        self.docs = docs
        self.grant: Grant | None = None
        self.fetches: dict[str, Fetch] = {}
        self.discover: Callable[[Any, Any], Iterator[Scope]] | None = None
        self.discover_permissions: tuple[str, ...] = ()

    def grants(self, grant: Grant) -> Grant:
        """Decorates `grant(permissions, settings)`: the document that grants them, where the vendor has one.

        `permissions` are those of the fetches that are done; `settings` are the configured sources of this collector.
        """
        self.grant = grant
        return grant

    def scopes(
        self, *, permissions: Iterable[str] = ()
    ) -> Callable[[Callable[[Any, Any], Iterator[Scope]]], Callable[[Any, Any], Iterator[Scope]]]:
        """Decorates `discover(api, config)`, which yields the scopes of a source. Else there is only `GLOBAL`."""

        def register(discover: Callable[[Any, Any], Iterator[Scope]]) -> Callable[[Any, Any], Iterator[Scope]]:
            self.discover = discover
            self.discover_permissions = tuple(permissions)
            return discover

        return register

    def table(
        self,
        name: str,
        *,
        columns: Mapping[str, ColumnSpec],
        key: str | Iterable[str] = (),
        permissions: Iterable[str] = (),
        per: str = "source",
        when: Callable[[Any], bool] | None = None,
    ) -> Callable[[Callable[[Any], Iterator[Row]]], Callable[[Any], Iterator[Row]]]:
        """Decorates a fetch that fills one table; the function's docstring says what a row is."""

        def register(run: Callable[[Any], Iterator[Row]]) -> Callable[[Any], Iterator[Row]]:
            doc = _doc(run)
            table = Table.of(name, columns, key=key, doc=doc)
            self._add(Fetch(run.__name__, run, (table,), tuple(permissions), per, doc, when))
            return run

        return register

    def fetch(
        self,
        *tables: Table,
        dynamic: Callable[[Any, Entities], tuple[Table, ...]] | None = None,
        permissions: Iterable[str] = (),
        per: str = "source",
        when: Callable[[Any], bool] | None = None,
    ) -> Callable[[Callable[[Any], Iterator[TableRow]]], Callable[[Any], Iterator[TableRow]]]:
        """Decorates a fetch that fills several tables from the same calls: it yields `TABLE.row(values)`."""

        def register(run: Callable[[Any], Iterator[TableRow]]) -> Callable[[Any], Iterator[TableRow]]:
            self._add(Fetch(run.__name__, run, dynamic or tables, tuple(permissions), per, _doc(run), when))
            return run

        return register

    def _add(self, fetch: Fetch) -> None:
        if fetch.name in self.fetches:
            raise PackError(f"collector {self.name}: two fetches are named {fetch.name}")
        self.fetches[fetch.name] = fetch


def _doc(run: Callable[..., Any]) -> str:
    doc = (run.__doc__ or "").strip()
    if not doc:
        raise PackError(f"fetch {run.__name__} has no docstring: it must say what one row is")
    return doc
