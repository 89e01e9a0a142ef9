"""Open the database: SQLite in a file by default, PostgreSQL when several people or hosts share it.

Rules:
- SQLite runs in WAL mode with `synchronous=FULL`: NORMAL may lose the last commits on power loss. Transactions begin
  IMMEDIATE, so a writer waits at its first statement and never fails in the middle.
- A database is brought to the current schema when a writer opens it; a reader refuses one that is older.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.orm import Session

from annexa.errors import ConfigError, StoreError

HEAD = "0001"


def connect(url: str) -> Engine:
    """An engine for a database address; nothing is read or written yet.

    Raises:
        ConfigError: the address is malformed, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, ModuleNotFoundError) as problem:
        raise ConfigError(
            f"the database address cannot be used: {type(problem).__name__}",
            field="state",
            remedy="Write sqlite:///annexa.db, or postgresql+psycopg://… after pip install 'annexa[postgresql]'.",
        ) from problem
    if parsed.get_backend_name() == "sqlite":
        _tune_sqlite(engine)
    return engine


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql("BEGIN" if options.get("annexa_read") else "BEGIN IMMEDIATE")


def open_writer(url: str) -> Engine:
    """An engine whose database exists and has the current schema; created or migrated if need be."""
    engine = connect(url)
    with _explained(engine):
        if revision(engine) != HEAD:
            migrate(engine)
    return engine


def open_reader(url: str) -> Engine:
    """An engine for reading what a scan recorded.

    Raises:
        StoreError: there is no database yet, or its schema is older than this program.
    """
    engine = connect(url)
    file = sqlite_file(engine)
    if file is not None and not file.exists():
        raise StoreError(f"{file} does not exist: nothing has been recorded yet", remedy="Run `annexa scan` first.")
    with _explained(engine):
        found = revision(engine)
    if found is None:
        raise StoreError("the database is empty: nothing has been recorded yet", remedy="Run `annexa scan` first.")
    if found != HEAD:
        raise StoreError(
            f"the database has schema {found}, this program needs {HEAD}",
            remedy="Run `annexa scan` with this version of annexa once: it migrates the database.",
        )
    return engine.execution_options(annexa_read=True)


def revision(engine: Engine) -> str | None:
    """The Alembic revision of a database; None when it has none."""
    try:
        with engine.execution_options(annexa_read=True).connect() as connection:
            found = connection.execute(text("select version_num from alembic_version")).scalar()
            return None if found is None else str(found)
    except (OperationalError, ProgrammingError) as problem:
        if "alembic_version" in str(problem.orig):
            return None
        raise


def migrate(engine: Engine) -> None:
    """Bring the database to the current schema, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def sqlite_file(engine: Engine) -> Path | None:
    """The file of an SQLite database; None for other databases and for one in memory."""
    if engine.dialect.name != "sqlite" or not engine.url.database or engine.url.database == ":memory:":
        return None
    return Path(engine.url.database)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one consistent state and writes nothing."""
    with _explained(engine), Session(engine.execution_options(annexa_read=True)) as session:
        yield session
        session.rollback()


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session whose changes are committed together at the end, or not at all."""
    with _explained(engine), Session(engine) as session, session.begin():
        yield session


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """Turns the driver's errors into one that names the database, without its password."""
    try:
        yield
    except SQLAlchemyError as problem:
        where = engine.url.render_as_string(hide_password=True)
        cause = getattr(problem, "orig", None) or problem
        raise StoreError(f"{where}: {str(cause).splitlines()[0]}") from problem
