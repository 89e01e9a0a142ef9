"""A pack on disk: which files it has, and their digests.

Rules:
- Only the four folders count; names that begin with a dot and `__pycache__` are not content.
- A symbolic link to a file must stay inside the pack; one to a folder is refused, because it would not be walked.
- The digest is the SHA-256 of what `sha256sum` prints for the files, sorted by path: anyone can work it out again.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from annexa.errors import PackError

FOLDERS = ("collectors", "checks", "mappings", "soa")


@dataclass(frozen=True, slots=True)
class Pack:
    """A mounted pack.

    Args:
        name: Unique among all packs there can be: `annexa` for the built-in one, the name of an installed one, else the
            folder's name and a part of the digest of its path.
        files: Path below `root` to SHA-256, sorted.
    """

    name: str
    root: Path
    files: Mapping[str, str] = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 over all files and their paths."""
        return listing_digest(self.files)

    def path(self, file: str) -> Path:
        """The place of one of its files."""
        return self.root / file


def survey(root: Path, name: str = "") -> Pack:
    """The pack in a folder.

    Raises:
        PackError: it is no pack, or holds what a pack may not hold.
    """
    root = root.expanduser().resolve()
    if not root.is_dir():
        raise PackError("is not a folder", path=str(root), remedy="Name a folder that exists, or an installed pack.")
    if not any((root / folder).is_dir() for folder in FOLDERS):
        raise PackError(
            f"is not a pack: it has none of the folders {', '.join(FOLDERS)}",
            path=str(root),
            remedy="Make one of these folders in it (`annexa init` does), or take it out of `packs`.",
        )
    files = {file: file_digest(root / file) for folder in FOLDERS for file in _content(root, folder)}
    return Pack(name or folder_name(root), root, dict(sorted(files.items(), key=lambda item: os.fsencode(item[0]))))


def folder_name(root: Path) -> str:
    """The name of the pack in a folder: two folders of the same name do not collide."""
    plain = re.sub(r"[^a-z0-9]+", "_", root.name.lower()).strip("_")
    return f"{plain or 'pack'}_{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"


def listing_digest(files: Mapping[str, str]) -> str:
    """SHA-256 of the lines `digest  path`, sorted by path."""
    total = hashlib.sha256()
    for file, digest in sorted(files.items(), key=lambda item: os.fsencode(item[0])):
        total.update(digest.encode() + b"  " + os.fsencode(file) + b"\n")
    return total.hexdigest()


def file_digests(folder: Path, *, leave: frozenset[Path] = frozenset()) -> dict[str, str]:
    """Path below `folder` to SHA-256 of every content file, without the folders in `leave`."""
    return {
        file.relative_to(folder).as_posix(): file_digest(file)
        for file in _walk(folder)
        if leave.isdisjoint(file.parents)
    }


def _content(root: Path, folder: str) -> Iterator[str]:
    top = root / folder
    if top.is_symlink():
        raise PackError("is a symbolic link; a pack's folders are real ones", path=str(top))
    for path in _walk(top) if top.is_dir() else ():
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise PackError("is a symbolic link that leads out of the pack", path=str(path))
        yield path.relative_to(root).as_posix()


def _walk(top: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(top, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in folders:
            if (Path(parent) / name).is_symlink():
                raise PackError("is a symbolic link to a folder; copy the folder", path=str(Path(parent) / name))
        yield from (Path(parent) / name for name in sorted(files) if not name.startswith("."))


def _unreadable(failure: OSError) -> None:
    raise PackError(f"cannot be read: {failure.strerror}", path=str(failure.filename)) from failure


def file_digest(path: Path) -> str:
    """SHA-256 of a regular file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise PackError("is not a regular file", path=str(path))
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as failure:
        raise PackError(f"cannot be read: {failure.strerror}", path=str(path)) from failure
