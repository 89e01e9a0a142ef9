"""What a run works with, parsed once: the packs' content and the configured sources, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from annexa.assess.checks import Check
from annexa.assess.entities import Entity
from annexa.config import Config, verify_checks
from annexa.cycle.evidence import Source
from annexa.errors import ConfigError
from annexa.events import StatementLine
from annexa.isms.catalogue import Control, catalogue
from annexa.isms.kpis import Kpi, kpi
from annexa.isms.nonconformities import Policy
from annexa.isms.statement import lines
from annexa.packs import Packs
from annexa.sdk import Table
from annexa.strict_yaml import Document


@dataclass(frozen=True, slots=True)
class Content:
    """Everything but the evidence.

    Args:
        sources: The configured sources, in the order of the configuration.
        checks: The checks that are run: all but the excluded, with the configured parameters.
        statement: By control, its decided line; empty where only the built-in example is there.
        digests: SHA-256 of each pack and of all of them.
    """

    sources: tuple[Source, ...]
    checks: Mapping[str, Check]
    entities: Mapping[str, Entity]
    controls: Mapping[str, Control]
    kpis: Mapping[str, Kpi]
    policy: Policy
    statement: Mapping[str, StatementLine]
    digests: Mapping[str, str]

    @property
    def tables(self) -> dict[str, Table]:
        """The entities' tables, as exported files fill them."""
        return {name: entity.table for name, entity in self.entities.items()}

    @classmethod
    def of(cls, config: Config, packs: Packs) -> Content:
        """The content of the mounted packs for a configuration.

        Raises:
            ConfigError, PackError: something cannot be used; it names file and line.
        """
        verify_checks(config, packs.checks())
        controls = catalogue(packs.catalogue())
        return cls(
            sources=tuple(
                Source(name, *packs.configured(source), source.max_age) for name, source in config.sources.items()
            ),
            checks={name: check for name, check in checks(packs, config).items() if name not in config.checks.exclude},
            entities=entities(packs),
            controls=controls,
            kpis={name: kpi(document.data) for name, document in packs.kpis().items()},
            policy=Policy.of(packs.policy().data),
            statement={} if packs.is_example() else lines(packs.statement().data, controls),
            digests={"packs": packs.digest, **{f"pack:{name}": digest for name, digest in packs.digests.items()}},
        )


def entities(packs: Packs) -> dict[str, Entity]:
    """The common entities of the mounted packs."""
    return {
        name: Entity.of(document.data, document.path, document.digest) for name, document in packs.entities().items()
    }


def checks(packs: Packs, config: Config | None = None) -> dict[str, Check]:
    """All checks of the mounted packs, with the configured parameters in place of their own.

    Raises:
        ConfigError: the configuration sets a parameter that a check does not have.
    """
    found = {name: Check.of(document.data, document.path, document.digest) for name, document in packs.checks().items()}
    for name, params in (config.checks.params if config is not None else {}).items():
        if name in found and config is not None:
            found[name] = _with_params(found[name], params, config.document)
    return found


def _with_params(check: Check, params: Mapping[str, Any], document: Document) -> Check:
    for name in params:
        if name not in check.params:
            known = ", ".join(sorted(check.params)) or "none"
            raise ConfigError(
                f"check {check.id} has no parameter {name}; it has {known}",
                path=document.path,
                line=document.line_of(("checks", "params", check.id, name)),
                field=f"checks.params.{check.id}.{name}",
            )
    return replace(check, params={**check.params, **params})
