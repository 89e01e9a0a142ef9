"""Where the state is: the database's address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from annexa.errors import ConfigError

EXPECTED = "expected sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"

_POSTGRESQL = ("postgresql+psycopg", "postgresql", "postgres")


def database_url(text: str, base: Path, *, path: str, line: int | None = None, named: str = "") -> str:
    """The address as SQLAlchemy takes it: a relative SQLite file is made absolute, PostgreSQL gets its driver.

    Args:
        text: The address.
        base: The folder that a relative SQLite file is relative to: that of config.yaml.
        path: config.yaml, for errors. line: where in it.
        named: The reference that led to `text`; an address that is not written in the file may hold a password.

    Raises:
        ConfigError: no such database is supported, or a password is written in the file. The address is not echoed.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise ConfigError(f"is not a database's address; {EXPECTED}", path=path, line=line, field="state")
    if scheme == "sqlite":
        return _sqlite(rest, base, path, line)
    if scheme not in _POSTGRESQL:
        raise ConfigError(f"{scheme} is not supported; {EXPECTED}", path=path, line=line, field="state")
    if not named and _has_password(text):
        raise ConfigError(
            "an address with a password in it",
            path=path,
            line=line,
            field="state",
            remedy="Write state: env:NAME (or file:PATH, keyring:SERVICE/USER) and keep the address there; "
            "change the password if the file was shared.",
        )
    return f"postgresql+psycopg://{rest}"


def _sqlite(rest: str, base: Path, path: str, line: int | None) -> str:
    file, mark, query = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or not file or file == ":memory:":
        raise ConfigError("names no file; expected sqlite:///annexa.db", path=path, line=line, field="state")
    return f"sqlite:///{base / Path(file).expanduser()}{mark}{query}"


def _has_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        return True
