"""The ledger's key file: `PRIVATE+KEY+…` on one line, mode 0600, and its public half in `<file>.pub` beside it.

Rules:
- A key is made once and never overwritten. Its file appears whole or not at all, and before the public half.
- A key that other users can read is refused: who has it can sign another history.
- Where the public half is there and the key is not, or they do not belong together, nothing is made: a new key
  that nobody asked for would look like the old one to whoever does not compare.
- No error, log or repr holds the key.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from annexa.errors import StoreError, Tampered
from annexa.evidence.durable import make_folder, storing, sync_folder, write_all
from annexa.evidence.note_keys import Signer

_PRIVATE, _PUBLIC = 0o600, 0o644
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST = 4096


def load_or_create(path: Path, name: str) -> Signer:
    """The key in the file, made on first use. Processes that come at once get the same key.

    Args:
        path: The key file.
        name: The key's name; the ledger's origin.

    Raises:
        StoreError: Others can read it, it is not a key, its name is another, or only its public half is there.
        Tampered: The public half is another key's.
    """
    if not path.exists():
        _create(path, name)
    signer = load(path)
    if signer.name != name:
        raise StoreError(
            f"{path} is the key of {signer.name!r}, not of {name!r}",
            remedy="Name the ledger as before, or give it a key file of its own.",
        )
    _keep_public_half(path, signer)
    return signer


def load(path: Path) -> Signer:
    """The key in the file.

    Raises:
        StoreError: There is none, others can read it, or it is not a key.
    """
    with storing(f"cannot read the key file {path}"):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            mode = os.fstat(handle).st_mode
            text = os.read(handle, _LARGEST).decode(errors="replace")
        finally:
            os.close(handle)
    if mode & _OTHERS:
        raise StoreError(
            f"{path}: other users can reach this private key (mode {stat.S_IMODE(mode):04o})",
            remedy=f"Run `chmod 600 {path}`; if others may have read it, make a new key (key rotation).",
        )
    try:
        return Signer.parse(text.removesuffix("\n"))
    except StoreError as error:
        raise StoreError(f"{path}: {error}", remedy=error.remedy) from None


def public_path(path: Path) -> Path:
    """Where the public half of a key file is."""
    return path.with_name(f"{path.name}.pub")


def _create(path: Path, name: str) -> None:
    """Make a key; leaves alone what another process has made in the meantime."""
    if public_path(path).exists():
        raise StoreError(
            f"the private key {path} is missing, but its public half {public_path(path)} is there",
            remedy="Restore the key from its backup. If it is lost, move the .pub file away: a new key is then made.",
        )
    _place(path, Signer.generate(name).private_text(), _PRIVATE)


def _keep_public_half(path: Path, signer: Signer) -> None:
    public, text = public_path(path), signer.verifier.text()
    with storing(f"cannot read or write {public}"):
        if not public.exists():
            _place(public, text, _PUBLIC)
        found = public.read_text(encoding="utf-8", errors="replace").strip()
    if found != text:
        raise Tampered(
            f"{public} is not the public half of the key in {path}",
            remedy="Find out which of the two was replaced, and restore it from a backup.",
        )


def _place(path: Path, line: str, mode: int) -> None:
    """Write a one-line file; it gets its name only when it is whole, and never replaces another."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    with storing(f"cannot create {path}"):
        make_folder(path.parent)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(handle, f"{line}\n".encode())
            os.fsync(handle)
            _link(part, path)
        finally:
            os.close(handle)
            part.unlink(missing_ok=True)
        sync_folder(path.parent)


def _link(part: Path, path: Path) -> None:
    """Give a file its name, unless the name is taken: link(2) is the rename that never replaces."""
    try:
        os.link(part, path)
    except FileExistsError:
        return
