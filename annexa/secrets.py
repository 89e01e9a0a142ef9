"""Secrets by reference: config.yaml names where a secret is, never what it is.

`env:NAME` reads an environment variable, `file:PATH` a file that only its owner can read, `keyring:SERVICE/USER` the
operating system's key store. A secret is resolved when it is first used, shows as its reference everywhere, and is
known to the redactor, which cuts it out of whatever would be recorded.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from annexa.errors import SecretError

SCHEMES = ("env", "file", "keyring")


class Secret:
    """A reference to a secret.

    Args:
        reference: `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`.
        base: The folder that a relative `file:` path is relative to: that of config.yaml.

    Raises:
        SecretError: the reference names no known scheme. A literal secret in a configuration ends here, unechoed.
    """

    __slots__ = ("_value", "base", "reference")

    def __init__(self, reference: str, base: Path = Path()) -> None:
        scheme, _, name = reference.partition(":")
        if scheme not in SCHEMES or not name:
            raise SecretError(
                "a secret must be a reference, not the secret itself",
                remedy="Write env:NAME, file:PATH or keyring:SERVICE/USER. If a secret stood here, replace it.",
            )
        self.reference = reference
        self.base = base
        self._value: str | None = None

    def reveal(self) -> str:
        """The secret. Only a transport calls this, at the moment of use.

        Raises:
            SecretError: it is not there, is empty, or its file can be read by others.
        """
        if self._value is None:
            scheme, _, name = self.reference.partition(":")
            value = {"env": self._environment, "file": self._file, "keyring": self._keyring}[scheme](name)
            if not value:
                raise SecretError(f"{self.reference} is empty")
            self._value = value
        return self._value

    def _environment(self, name: str) -> str:
        if name not in os.environ:
            raise SecretError(f"the environment variable {name} is not set", remedy=f"export {name}=… and run again.")
        return os.environ[name].strip()

    def _file(self, name: str) -> str:
        path = self.base / Path(name).expanduser()
        try:
            mode = path.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SecretError(f"{path} can be read by others", remedy=f"chmod 600 {path}")
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as failure:
            raise SecretError(f"{path} cannot be read: {type(failure).__name__}") from failure

    def _keyring(self, name: str) -> str:
        service, _, user = name.partition("/")
        try:
            import keyring
        except ImportError as failure:
            raise SecretError(
                "the package keyring is not installed", remedy="pip install 'annexa[keyring]'"
            ) from failure
        value = keyring.get_password(service, user)
        if value is None:
            raise SecretError(
                f"the key store holds nothing for {service}/{user}", remedy=f"keyring set {service} {user}"
            )
        return value

    def __repr__(self) -> str:
        return f"Secret({self.reference})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)
