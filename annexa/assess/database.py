"""An in-memory DuckDB: open for the loader, then locked for good.

Four layers hold a check (each alone was broken in a trial): the gate, this lock, the worker process, its watcher.
The lock: no files, no attached databases, no extensions, no spilling to disk, no Python objects, no settings but
those that the engine itself still needs. The gate refuses SET, so a check cannot reach even these.
"""

from __future__ import annotations

from typing import Any

_CLOSED: dict[str, str | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "temp_directory": "",
    "python_enable_replacements": False,
}


def connect(threads: int) -> Any:
    """A fresh database that can still read files."""
    import duckdb

    con = duckdb.connect(":memory:", config={**_CLOSED, "threads": threads})
    con.execute("set TimeZone = 'UTC'")
    con.execute("set preserve_insertion_order = true")
    return con


def lock(con: Any, seconds: float) -> None:
    """Take away every way out; `seconds` is how long any one query may run from now on.

    DuckDB does not keep this time strictly (a function that does not yield is not interrupted), the watcher does.
    """
    con.execute(f"set max_execution_time = {int(seconds * 1000)}")
    con.execute("set allowed_configs = ['threads', 'memory_limit']")
    con.execute("set disabled_filesystems = 'LocalFileSystem'")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def allow(con: Any, memory: int, threads: int, *, repeats: bool = False) -> None:
    """Let the next query use so many bytes beyond what the tables take, and so many threads.

    With `repeats` it may also take as much again as the tables do: it makes a table of rows that are there.
    `memory_limit` is a first line: it stops what goes through DuckDB's buffers, not a single huge text.
    """
    used = con.execute("select coalesce(sum(memory_usage_bytes), 0) from duckdb_memory()").fetchone()[0]
    limit = int(used) * (2 if repeats else 1) + memory
    con.execute(f"set memory_limit = '{limit // 1024 + 1}KiB'")
    con.execute(f"set threads = {threads}")
