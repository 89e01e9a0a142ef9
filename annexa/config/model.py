"""The configuration as the engine reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from annexa.config.state import database_url
from annexa.secrets import Secret
from annexa.strict_yaml import Document


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger's name in its checkpoints, and the file of the key that signs them."""

    origin: str
    key: Path


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One configured instance of a collector.

    Args:
        max_age: The age from which its evidence is stale, in place of what checks ask for; None: checks decide.
        raw: Every field as it stands in the file, `collector` and `max_age` too; secrets are references, unresolved.
        document: The file, for errors.
    """

    name: str
    collector: str
    max_age: timedelta | None
    raw: Mapping[str, Any] = field(repr=False)
    document: Document = field(repr=False, compare=False)

    @property
    def line(self) -> int:
        """The line where the source begins."""
        return self.document.line_of(("sources", self.name))

    @property
    def base(self) -> Path:
        """The folder that its paths are relative to."""
        return Path(self.document.path).parent


@dataclass(frozen=True, slots=True)
class Scan:
    """How a scan runs.

    Args:
        workers: Shards collected at the same time.
        fail_on: The severity (low, medium, high, critical) from which a failing check sets exit code 1, or `never`.
        deadline: For one shard.
        check_timeout: For one check.
        check_memory: For one check, in bytes.
    """

    workers: int
    fail_on: str
    deadline: timedelta
    check_timeout: timedelta
    check_memory: int


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks that are not run, and parameters that differ from a check's own: check to parameter to value."""

    exclude: tuple[str, ...]
    params: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Config:
    """config.yaml.

    Args:
        path: The file, absolute.
        state: The database's address, or a reference to it; `database_url` gives the address.
        evidence: The folder of sealed evidence, absolute.
        packs: In mounting order: a `Path` is a folder (absolute), a `str` the name of an installed pack.
        document: The file as it was read; its digest goes into `run_start`.
    """

    path: Path
    company: str
    state: str | Secret
    evidence: Path
    packs: tuple[Path | str, ...]
    ledger: Ledger
    sources: Mapping[str, SourceConfig]
    scan: Scan
    checks: Checks
    document: Document = field(repr=False, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes."""
        return self.document.digest

    def database_url(self) -> str:
        """The database's address, ready for SQLAlchemy; it may hold a password, so it is not for showing.

        Raises:
            SecretError: it is a reference that cannot be resolved.
            ConfigError: what the reference leads to is no database that annexa knows.
        """
        if isinstance(self.state, str):
            return self.state
        return database_url(self.state.reveal(), self.path.parent, path=str(self.path), named=self.state.reference)
