"""Packs: everything that is not the engine comes in by one door, the built-in content too.

A pack is a folder with some of `collectors/ checks/ mappings/ soa/`. Rules:
- The built-in pack comes first, then those of `packs` in config.yaml, in that order. A later pack has the last word,
  by id: a collector, check, entity, KPI as a whole, a control of the catalogue field by field; the statement and the
  policy for nonconformities as whole files. `overrides` says what took the place of what.
- An installed pack (entry-point group `annexa.packs`; its value is the package that holds the folders) is mounted only
  where `packs` names it: installing something must not change a verdict.
- Nothing is imported or parsed before it is asked for; what is read is validated, and is what was digested.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annexa.errors import ConfigError, PackError
from annexa.packs import content
from annexa.packs.content import Kind, Override
from annexa.packs.folder import Pack, file_digests, listing_digest, survey
from annexa.packs.places import BUILT_IN, ENGINE, built_in, installed
from annexa.strict_yaml import Document

if TYPE_CHECKING:
    from annexa.config import SourceConfig
    from annexa.sdk import Collector

__all__ = ["BUILT_IN", "Override", "Pack", "Packs", "code_digest", "mount"]


def mount(packs: Iterable[Path | str] = ()) -> Packs:
    """The built-in pack and, over it, the given ones: a `Path` is a folder, a `str` the name of an installed pack.

    A folder that is given twice, or is the built-in pack's own, is mounted once, at its first place.

    Raises:
        PackError: one of them does not exist, is no pack, or holds what a pack may not hold.
    """
    mounted = {built_in().resolve(): survey(built_in(), BUILT_IN)}
    for entry in packs:
        root = (installed(entry) if isinstance(entry, str) else entry).expanduser().resolve()
        if root not in mounted:
            mounted[root] = survey(root, entry if isinstance(entry, str) else "")
    return Packs(mounted.values())


def code_digest() -> str:
    """SHA-256 over every file of the engine, without the built-in pack: the same in a wheel and in a checkout."""
    return listing_digest(file_digests(ENGINE, leave=frozenset([ENGINE / "pack"])))


class Packs:
    """The mounted packs as one; everything is read at its first use and kept."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(packs)
        self._documents: dict[str, dict[str, Document]] = {}
        self._collectors: dict[str, Collector] = {}

    @property
    def digests(self) -> dict[str, str]:
        """Pack to the digest of its files, in mounting order."""
        return {pack.name: pack.digest for pack in self.packs}

    @property
    def digest(self) -> str:
        """One digest over all packs and their order."""
        return listing_digest({f"{index:03d}/{pack.name}": pack.digest for index, pack in enumerate(self.packs)})

    def collectors(self) -> list[str]:
        """The names of all collectors; nothing is imported."""
        return sorted(self._collector_packs)

    def collector(self, name: str) -> Collector:
        """The collector of that name; its module is imported now, and no other.

        Raises:
            PackError: no pack has it, or its module does not work.
        """
        if name not in self._collector_packs:
            close = difflib.get_close_matches(name, self.collectors(), n=1)
            hint = f"did you mean {close[0]}?" if close else "`annexa collectors list` names them"
            raise PackError(f"no pack has a collector named {name}; {hint}")
        if name not in self._collectors:
            from annexa.packs import collectors

            self._collectors[name] = collectors.load(self._collector_packs[name], name)
        return self._collectors[name]

    def configured(self, source: SourceConfig) -> tuple[Collector, Any]:
        """A source's collector, and the instance of its configuration dataclass.

        Raises:
            ConfigError: no such collector, or a setting is wrong; with its line in config.yaml.
            PackError: the collector's module does not work.
        """
        from annexa.config import settings

        if source.collector not in self._collector_packs:
            close = difflib.get_close_matches(source.collector, self.collectors(), n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(self.collectors())}"
            raise ConfigError(
                f"no pack has a collector named {source.collector}{hint}",
                path=source.document.path,
                line=source.document.line_of(("sources", source.name, "collector")),
                field=f"sources.{source.name}.collector",
            )
        collector = self.collector(source.collector)
        return collector, settings(collector, source)

    def checks(self) -> dict[str, Document]:
        """Every check by id: `checks/**/ID.yaml`."""
        return self._of(content.CHECK)

    def entities(self) -> dict[str, Document]:
        """Every common entity by name: `mappings/entities/NAME.yaml`."""
        return self._of(content.ENTITY)

    def kpis(self) -> dict[str, Document]:
        """Every KPI by id: `soa/kpis/ID.yaml`."""
        return self._of(content.KPI)

    def catalogue(self) -> dict[str, Any]:
        """The controls, in the shape of `mappings/annex_a_2022.yaml`, refined by later packs."""
        return self._catalogue[0]

    def statement(self) -> Document:
        """The Statement of Applicability: the last pack's that has one; see `is_example`."""
        return self._last(content.STATEMENT)

    def is_example(self) -> bool:
        """Whether the statement is the built-in example, which speaks of Example Ltd and of nobody else."""
        return self._having(content.STATEMENT[0])[-1].name == BUILT_IN

    def policy(self) -> Document:
        """How nonconformities are raised: the last pack's `soa/nonconformities.yaml`."""
        return self._last(content.POLICY)

    @cached_property
    def overrides(self) -> tuple[Override, ...]:
        """What took the place of what, over all kinds of content."""
        kinds: list[tuple[str, Callable[[Pack], list[str]]]] = [("collector", self._collector_names)]
        kinds += [(kind.name, kind.ids) for kind in (content.CHECK, content.ENTITY, content.KPI)]
        kinds += [("statement", partial(_whole, content.STATEMENT[0])), ("policy", partial(_whole, content.POLICY[0]))]
        found = [content.owners(name, ((pack, ids(pack)) for pack in self.packs))[1] for name, ids in kinds]
        return (*chain.from_iterable(found), *self._catalogue[1])

    @cached_property
    def _collector_packs(self) -> dict[str, Pack]:
        return content.owners("collector", ((pack, self._collector_names(pack)) for pack in self.packs))[0]

    @staticmethod
    def _collector_names(pack: Pack) -> list[str]:
        from annexa.packs import collectors

        return collectors.names(pack)

    @cached_property
    def _catalogue(self) -> tuple[dict[str, Any], list[Override]]:
        from annexa.packs.catalogue import merged

        return merged(self.packs)

    def _of(self, kind: Kind) -> dict[str, Document]:
        if kind.name not in self._documents:
            self._documents[kind.name] = content.documents(kind, self.packs)
        return self._documents[kind.name]

    def _having(self, file: str) -> list[Pack]:
        having = [pack for pack in self.packs if file in pack.files]
        if not having:
            raise PackError(f"no pack has {file}", remedy="Install annexa again.")
        return having

    def _last(self, place: tuple[str, str]) -> Document:
        file, schema_name = place
        if file not in self._documents:
            self._documents[file] = {"": content.read(self._having(file)[-1], file, schema_name)}
        return self._documents[file][""]


def _whole(file: str, pack: Pack) -> list[str]:
    """A file that is one piece of content, as a list of ids."""
    return [file] if file in pack.files else []
