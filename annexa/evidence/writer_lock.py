"""One writer at a time: a lock file beside an SQLite database, an advisory lock on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from annexa.database.session import sqlite_file
from annexa.errors import StoreBusy
from annexa.evidence.lock import store_lock

_ADVISORY_LOCK = 0x616E6E657861  # "annexa"


@contextmanager
def writer_lock(engine: Engine, wait: float) -> Iterator[None]:
    """The right to write, for one process at a time. Waits up to `wait` seconds.

    Raises:
        StoreBusy: another process holds it; the message says which and since when where that is known.
    """
    file = sqlite_file(engine)
    if file is not None:
        with store_lock(file.with_name(file.name + ".lock"), wait):
            yield
    elif engine.dialect.name == "postgresql":
        with _advisory_lock(engine, wait):
            yield
    else:
        yield


@contextmanager
def _advisory_lock(engine: Engine, wait: float) -> Iterator[None]:
    deadline = time.monotonic() + wait
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        while not connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": _ADVISORY_LOCK}).scalar():
            if time.monotonic() >= deadline:
                raise StoreBusy("another annexa process is writing to this database")
            time.sleep(min(0.2, max(0.0, deadline - time.monotonic())))
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
