"""Options and openings that commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from annexa.config import Config
    from annexa.evidence.blobs import BlobStore
    from annexa.isms.catalogue import Control
    from annexa.isms.kpis import Kpi
    from annexa.packs import Packs
    from annexa.sdk import Collector

DEFAULT = Path("config.yaml")
F = TypeVar("F", bound=Callable[..., object])


def config_option(command: F) -> F:
    """`-c FILE`: which configuration."""
    return click.option(
        "-c",
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        default=DEFAULT,
        envvar="ANNEXA_CONFIG",
        show_default="./config.yaml",
        help="The configuration file.",
    )(command)


def pack_option(command: F) -> F:
    """`--pack DIR`: mount one more pack."""
    return click.option(
        "--pack",
        "packs",
        multiple=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Mount this pack over those in the configuration; may be repeated.",
    )(command)


def json_option(command: F) -> F:
    """`--json`: for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")(command)


@dataclass(frozen=True, slots=True)
class Opened:
    """A recorded company, open for reading."""

    config: Config
    packs: Packs
    session: Session
    blobs: BlobStore


@contextmanager
def opened(config_file: Path, packs: tuple[Path, ...] = ()) -> Iterator[Opened]:
    """Configuration, packs, database and blobs, for a command that only reads."""
    from annexa.config import load
    from annexa.database.session import open_reader, reading
    from annexa.evidence.blobs import BlobStore
    from annexa.packs import mount

    config = load(config_file)
    engine = open_reader(config.database_url())
    with reading(engine) as session:
        yield Opened(config, mount([*config.packs, *packs]), session, BlobStore(config.evidence))


def mounted(config_file: Path, packs: tuple[Path, ...] = ()) -> Packs:
    """The built-in pack, those of the configuration where there is one, then those of the command line."""
    from annexa.config import load
    from annexa.packs import mount

    configured = load(config_file).packs if config_file.exists() or config_file != DEFAULT else ()
    return mount([*configured, *packs])


def chosen(packs: Packs, name: str) -> Collector:
    """The collector that the command line names.

    Raises:
        UsageError: no pack has it.
    """
    from annexa.errors import UsageError

    known = packs.collectors()
    if name not in known:
        raise UsageError(f"there is no collector {name}", remedy=f"There are {', '.join(known)}.")
    return packs.collector(name)


def controls(packs: Packs) -> dict[str, Control]:
    """The catalogue of controls, by id."""
    from annexa.isms.catalogue import catalogue

    return catalogue(packs.catalogue())


def kpis(packs: Packs) -> dict[str, Kpi]:
    """The KPIs, by id."""
    from annexa.isms.kpis import kpi

    return {name: kpi(document.data) for name, document in packs.kpis().items()}
