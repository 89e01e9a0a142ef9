"""A pack's YAML: read strictly, validated, one document per id; a later pack's takes the place of an earlier one's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from annexa.errors import PackError
from annexa.packs.folder import Pack
from annexa.schemas import schema, validate
from annexa.strict_yaml import Document
from annexa.strict_yaml import load as load_yaml


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: where it stands, what it must look like, and which of its fields repeats the file's name."""

    name: str
    folder: str
    schema: str
    identity: str = ""
    nested: bool = False

    def files(self, pack: Pack) -> Iterator[tuple[str, str]]:
        """Id and path of each such file of a pack.

        Raises:
            PackError: two files have the same id, or one ends in .yml and would be overlooked.
        """
        seen: dict[str, str] = {}
        for file in pack.files:
            path = PurePosixPath(file)
            if not self._holds(path):
                continue
            if path.suffix != ".yaml":
                raise PackError("must end in .yaml, or it would be overlooked", path=str(pack.path(file)))
            if path.stem in seen:
                raise PackError(f"has the same id as {seen[path.stem]}", path=str(pack.path(file)))
            seen[path.stem] = file
            yield path.stem, file

    def ids(self, pack: Pack) -> list[str]:
        """The ids of such files of a pack."""
        return [identifier for identifier, _ in self.files(pack)]

    def _holds(self, path: PurePosixPath) -> bool:
        folder = PurePosixPath(self.folder)
        inside = path.is_relative_to(folder) if self.nested else path.parent == folder
        return inside and path.suffix.lower() in (".yaml", ".yml")


CHECK = Kind("check", "checks", "assess/check.schema.json", identity="id", nested=True)
ENTITY = Kind("entity", "mappings/entities", "assess/entity.schema.json", identity="name")
KPI = Kind("kpi", "soa/kpis", "schemas/kpi.schema.json", identity="id")

CATALOGUE = ("mappings/annex_a_2022.yaml", "schemas/catalogue.schema.json")
STATEMENT = ("soa/statement.yaml", "schemas/statement.schema.json")
POLICY = ("soa/nonconformities.yaml", "schemas/nonconformities.schema.json")


@dataclass(frozen=True, slots=True)
class Override:
    """A later pack's content that takes the place of an earlier pack's."""

    kind: str
    id: str
    pack: str
    instead_of: str


def owners(kind: str, listed: Iterable[tuple[Pack, Iterable[str]]]) -> tuple[dict[str, Pack], list[Override]]:
    """By id the pack that has the last word, and what was overridden on the way."""
    found: dict[str, Pack] = {}
    overrides = []
    for pack, ids in listed:
        for identifier in ids:
            if identifier in found:
                overrides.append(Override(kind, identifier, pack.name, found[identifier].name))
            found[identifier] = pack
    return found, overrides


def documents(kind: Kind, packs: Iterable[Pack]) -> dict[str, Document]:
    """By id, in the order of ids: the document that has the last word, validated."""
    files = {identifier: (pack, file) for pack in packs for identifier, file in kind.files(pack)}
    return {identifier: _document(kind, identifier, *files[identifier]) for identifier in sorted(files)}


def _document(kind: Kind, identifier: str, pack: Pack, file: str) -> Document:
    document = read(pack, file, kind.schema)
    own = document.data.get(kind.identity, identifier)
    if own != identifier:
        raise PackError(
            f"is {own!r}, expected {identifier!r}: the file has the name of its {kind.name}",
            path=document.path,
            line=document.line_of((kind.identity,)),
            field=kind.identity,
        )
    return document


def read(pack: Pack, file: str, schema_name: str) -> Document:
    """One file of a pack, validated.

    Raises:
        PackError: it breaks its schema, or it is not what it was when the pack was mounted and digested.
    """
    document = load_yaml(pack.path(file), error=PackError)
    if document.digest != pack.files[file]:
        raise PackError(
            "was changed while annexa was running",
            path=document.path,
            remedy="Run the command again; a run must record the digest of what it used.",
        )
    validate(document, schema(schema_name), error=PackError)
    return document
