"""A sandbox with evidence in it: loads tables, builds entities, and does both again after a worker was killed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from annexa.assess.entities import COLLECTED, Entity, build_order
from annexa.assess.evidence import Evidence, TableEvidence, refuse_reserved
from annexa.assess.protocol import (
    Build,
    FeedSpec,
    Load,
    Loaded,
    RawSpec,
    Reply,
    Request,
    SegmentSpec,
    TableReport,
    TableSpec,
)
from annexa.assess.sandbox import Sandbox, Stopped
from annexa.assess.supply import Found, Supply
from annexa.errors import CheckError, PackError
from annexa.sdk.tables import Table


class Session:
    """Evidence in a sandbox.

    Args:
        sandbox: Where it is loaded; what another session loaded there is forgotten.
        evidence: By table name.
        entities: By name.

    Raises:
        PackError: Two tables, or a table and an entity, share a name; or a column has a reserved name.
    """

    def __init__(self, sandbox: Sandbox, evidence: Evidence, entities: Mapping[str, Entity]) -> None:
        for found in evidence.values():
            refuse_reserved(found.table)
            if found.table.name.startswith((COLLECTED, "annexa_")):
                raise PackError(f"table {found.table.name}: names that start so are the engine's own")
        self.supply = Supply(evidence, entities)
        self._order = build_order(entities)
        self._sandbox = sandbox
        self._generation = -1
        self._unusable = ""
        self._gaps: dict[str, tuple[str, ...]] = {}
        self._broken: dict[str, str] = {}

    @property
    def found(self) -> Found:
        """What loading and building found out so far."""
        return Found(dict(self._gaps), dict(self._broken))

    def prepare(self, names: Iterable[str]) -> None:
        """See that the tables that these names need are there; those that cannot be are in `found.broken`.

        Args:
            names: Tables and entities that are still needed. After the worker was killed, only they are loaded again.
        """
        needed = [name for name in self.supply.closure(names) if self.supply.exists(name)]
        while not self._unusable and self._generation != self._sandbox.start():
            try:
                self._load(needed)
                self._build(needed)
            except Stopped:
                continue
        if self._unusable:
            self._note(TableReport(name, broken=self._unusable) for name in needed if name not in self._broken)

    def ask(self, request: Request) -> Reply:
        """Pass a request on; `prepare` comes first.

        Raises:
            Stopped: The worker was killed, or died.
            CheckError: The worker refused.
        """
        return self._sandbox.ask(request, seconds=self._sandbox.limits.seconds)

    def _load(self, needed: list[str]) -> None:
        """Load the collected tables.

        A worker that dies of it would die again: then all of them are unusable, and the next one loads none. One that
        dies of that cannot be helped.
        """
        limits = self._sandbox.limits
        raw = [
            RawSpec(_spec(name, found.table), _segments(found))
            for name, found in self.supply.collected(needed)
            if found.segments and name not in self._broken
        ]
        self._generation = self._sandbox.start()
        try:
            reply = self._sandbox.ask(
                Load(raw, limits.threads, limits.memory, limits.seconds), seconds=limits.load_seconds, settle=True
            )
        except Stopped as problem:
            self._note(TableReport(table.table.name, broken=f"it could not be loaded: {problem}") for table in raw)
            self._unusable = "" if raw else f"no worker can be used: {problem}"
            raise
        self._note(reply.tables if isinstance(reply, Loaded) else ())

    def _build(self, needed: list[str]) -> None:
        for name in self._order:
            if name not in needed or name in self._broken:
                continue
            request = self._request(name)
            if request is None:
                continue
            try:
                reply = self._sandbox.ask(request, seconds=self._sandbox.limits.seconds, settle=True)
            except CheckError as problem:
                self._note([TableReport(name, broken=f"the entity cannot be built: {problem}")])
                if isinstance(problem, Stopped):
                    raise
                continue
            self._note(reply.tables if isinstance(reply, Loaded) else ())

    def _request(self, name: str) -> Build | None:
        """How an entity is to be built; None where something that it needs is broken, which its conditions say."""
        entity = self.supply.entities[name]
        feeds = [entity.feeds[vendor] for vendor in self.supply.usable(name)]
        own = f"{COLLECTED}{name}" if self.supply.exists_itself(name) else None
        needs = {table for feed in feeds for table in feed.tables} | ({own} if own else set())
        if needs & self._broken.keys():
            self._broken.setdefault(name, "what feeds it cannot be used")
            return None
        return Build(_spec(name, entity.table), [FeedSpec(list(feed.tables), feed.select) for feed in feeds], own)

    def _note(self, reports: Iterable[TableReport]) -> None:
        for report in reports:
            self._gaps[report.name] = tuple(report.gaps)
            if report.broken:
                self._broken[report.name] = report.broken


def _spec(name: str, table: Table) -> TableSpec:
    return TableSpec(name, [(column.name, column.type.value) for column in table.columns], list(table.key))


def _segments(found: TableEvidence) -> list[SegmentSpec]:
    return [SegmentSpec(str(s.path), s.digest, s.rows, s.source, s.scope) for s in found.segments]
