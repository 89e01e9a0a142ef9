"""Where packs are: the built-in one, installed ones, folders."""

from __future__ import annotations

import difflib
import importlib.util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from annexa.errors import PackError

GROUP = "annexa.packs"
BUILT_IN = "annexa"
ENGINE = Path(__file__).parents[1]

_MARKER = Path("mappings/annex_a_2022.yaml")


def built_in(engine: Path = ENGINE) -> Path:
    """The folder of the built-in pack: inside the engine in a wheel, beside it in a checkout.

    Raises:
        PackError: neither holds it, so this installation is broken.
    """
    for root in (engine / "pack", engine.parent):
        if (root / _MARKER).is_file():
            return root
    raise PackError("the built-in pack is missing", path=str(engine / "pack"), remedy="Install annexa again.")


def installed(name: str) -> Path:
    """The folder of an installed pack: that of the package which its entry point names. Nothing of it is imported.

    Raises:
        PackError: no distribution, or more than one, offers a pack of that name.
    """
    offers = entry_points(group=GROUP)
    found = {offer.value: offer for offer in offers.select(name=name)}
    if len(found) > 1:
        raise PackError(f"{' and '.join(sorted(found))} are both installed as the pack {name}")
    if not found:
        raise PackError(f"no pack named {name} is installed{_hint(name, sorted(offers.names))}")
    return _folder(next(iter(found.values())))


def _hint(name: str, known: list[str]) -> str:
    if Path(name).is_dir():
        return f"; write ./{name} for the folder"
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else "; write ./NAME for a folder, pip install it for a package"


def _folder(offer: EntryPoint) -> Path:
    top, _, below = offer.module.partition(".")
    spec = importlib.util.find_spec(top)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if len(places) != 1:
        raise PackError(f"the installed pack {offer.name} names {offer.value}, which is not a package in one folder")
    return Path(places[0], *below.split(".")) if below else Path(places[0])
