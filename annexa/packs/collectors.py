"""A pack's Python: `collectors/okta.py`, or `collectors/aws/`, holds the collector of that name.

Modules whose name begins with `_` are shared code. A collector is imported when it is asked for, and only that one: no
scan of Okta waits for boto3. The module's name is `annexa_packs.PACK.collectors.NAME`, so packs never meet.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback
from pathlib import Path
from types import ModuleType

from annexa.errors import AnnexaError, PackError
from annexa.packs.folder import Pack, file_digest
from annexa.sdk import Collector

_ROOT = "annexa_packs"

# What a module's body raises when it is wrong. SystemExit too: a module must not end a scan with exit code 0.
_FAULTS = (
    AnnexaError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemExit,
    TypeError,
    ValueError,
)


def names(pack: Pack) -> list[str]:
    """The collectors of a pack, by name; nothing is imported."""
    found = pkgutil.iter_modules([str(pack.root / "collectors")])
    return sorted(module.name for module in found if not module.name.startswith("_"))


def load(pack: Pack, name: str) -> Collector:
    """The collector of that name.

    Raises:
        PackError: its module does not work, with file and line; or it holds no collector of that name.
    """
    module = _import(pack, name)
    _unchanged(pack)
    found = {id(value): value for value in vars(module).values() if isinstance(value, Collector)}
    named = [collector for collector in found.values() if collector.name == name]
    if not named:
        others = ", ".join(sorted(collector.name for collector in found.values())) or "none"
        raise PackError(
            f"holds no collector named {name} (found: {others}); the module has the collector's name",
            path=str(module.__file__),
        )
    return named[0]


def _import(pack: Pack, name: str) -> ModuleType:
    _package(_ROOT, [])
    _package(f"{_ROOT}.{pack.name}", [str(pack.root)])
    importlib.invalidate_caches()
    try:
        return importlib.import_module(f"{_ROOT}.{pack.name}.collectors.{name}")
    except _FAULTS as fault:
        file, line = _place(fault, pack)
        raise PackError(f"cannot be imported: {_what(fault)}", path=file, line=line, remedy=_remedy(fault)) from fault


def _unchanged(pack: Pack) -> None:
    """What was imported must be what was digested."""
    prefix = f"{_ROOT}.{pack.name}."
    imported = [module.__file__ for name, module in sys.modules.items() if name.startswith(prefix)]
    for file in sorted(filter(None, imported)):
        if pack.files.get(Path(file).relative_to(pack.root).as_posix()) != file_digest(Path(file)):
            raise PackError("was changed while annexa was running", path=file, remedy="Run the command again.")


def _package(name: str, path: list[str]) -> None:
    sys.modules.setdefault(name, ModuleType(name)).__path__ = path


def _place(fault: BaseException, pack: Pack) -> tuple[str, int | None]:
    """The innermost line of the pack that was running, or that cannot be parsed."""
    if isinstance(fault, SyntaxError) and fault.filename:
        return fault.filename, fault.lineno
    frames = traceback.extract_tb(fault.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(pack.root / "collectors")]
    return (inside[-1].filename, inside[-1].lineno) if inside else (str(pack.root / "collectors"), None)


def _what(fault: BaseException) -> str:
    text = fault.msg if isinstance(fault, SyntaxError) else str(fault)
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__


def _remedy(fault: BaseException) -> str | None:
    missing = fault.name if isinstance(fault, ModuleNotFoundError) else None
    if missing and not missing.startswith(_ROOT):
        return f"Install the package that provides {missing.partition('.')[0]}, or correct the import."
    return None
