"""A check that misbehaves is stopped with its reason, and the next one still gives its verdict."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from annexa.assess import database, memory
from annexa.assess.assess import assess
from annexa.assess.protocol import Ask, Load
from annexa.assess.sandbox import Limits, Sandbox
from annexa.errors import CheckError

GOOD = "select id as resource, 'pass' as status, email as reason from person"
VERDICT = "select id as resource, 'pass' as status, {} as reason from person"


@pytest.fixture
def people(bench: Any) -> dict[str, Any]:
    return {"person": bench.table(bench.person, [{"id": "1", "email": "ada@example.com"}])}


def outcomes(bench: Any, people: Any, folder: Path, limits: Limits, *queries: str) -> list[Any]:
    checks = [bench.check(query, id=f"check-{n}") for n, query in enumerate(queries)]
    return list(assess(checks, people, {}, bench.as_of, workdir=folder, limits=limits))


ENDLESS = {
    "loops for ever": VERDICT.format(
        "(with recursive t as (select 1 a union all select a + 1 from t) select max(a) from t)"
    ),
    "takes its time": VERDICT.format(
        "(select count(*) from range(1000000) a, range(1000000) b where a.range * b.range = 7)"
    ),
}
REFUSED = {
    VERDICT.format("(select content from read_text('/etc/passwd'))"): "refused: read_text()",
    VERDICT.format("(select * from '/etc/passwd')"): "refused: table '/etc/passwd'",
    "copy (select 1) to '{folder}/written'": "refused: a statement of type COPY",
    "drop table person": "refused: a statement of type DROP",
    "delete from person": "refused: a statement of type DELETE",
    "with gone as (delete from person returning id) select id as resource, 'pass' as status, 'r' as reason from gone": (
        "refused"
    ),
    "attach '{folder}/written' as x": "refused: a statement of type ATTACH",
    f"{GOOD}; drop table person": "refused: 2 statements",
    "set lock_configuration = false": "refused: a statement of type SET",
    VERDICT.format("(" * 9000 + "1" + ")" * 9000): "depth limit",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_is_stopped_and_the_next_check_gives_its_verdict(
    bench: Any, people: Any, tmp_path: Path, limits: Limits, name: str
) -> None:
    first, next_one = outcomes(bench, people, tmp_path, limits, ENDLESS[name], GOOD)
    assert (first.status, first.reason) == ("error", "stopped after 1 s")
    assert (next_one.status, next_one.reason) == ("pass", "1 pass")


def test_is_refused_and_the_next_check_gives_its_verdict(
    bench: Any, people: Any, tmp_path: Path, limits: Limits
) -> None:
    queries = [query.replace("{folder}", str(tmp_path)) for query in REFUSED]
    mixed = [one for query in queries for one in (query, GOOD)]
    found = outcomes(bench, people, tmp_path, limits, *mixed)
    assert [outcome.status for outcome in found] == ["error", "pass"] * len(REFUSED)
    for outcome, reason in zip(found[::2], REFUSED.values(), strict=True):
        assert reason in outcome.reason
    assert not (tmp_path / "written").exists()


GREEDY = {
    "one text": (VERDICT.format("'' || length(repeat('x', 4000000000))"), "stopped at"),
    "one list": (VERDICT.format("'' || len(list_transform(range(500000000), lambda x: x + 1))"), "stopped"),
    "many rows": (
        VERDICT.format(
            "(select max(x) from (select repeat('x', 1000) || a.range x, a.range g from range(4000000) a) "
            "group by g limit 1)"
        ),
        "stopped",
    ),
}


@pytest.mark.parametrize("name", GREEDY)
def test_takes_four_gigabytes_and_is_stopped_long_before(bench: Any, people: Any, tmp_path: Path, name: str) -> None:
    """DuckDB's own limit does not see a single huge text; the watcher does."""
    query, reason = GREEDY[name]
    first, next_one = outcomes(bench, people, tmp_path, Limits(seconds=60, memory=256 * 2**20, threads=2), query, GOOD)
    assert (first.status, next_one.status) == ("error", "pass")
    assert first.reason.startswith(reason)
    assert "GiB" in first.reason


def test_a_worker_that_dies_takes_only_its_check_with_it(
    bench: Any, people: Any, tmp_path: Path, limits: Limits
) -> None:
    checks = [bench.check(GOOD, id=f"check-{n}") for n in range(3)]
    loop = ENDLESS["loops for ever"]
    checks.insert(1, bench.check(loop, id="loops"))
    found = []
    for outcome in assess(checks, people, {}, bench.as_of, workdir=tmp_path, limits=limits):
        found.append((outcome.check, outcome.status))
        if outcome.check == "check-1":
            _kill_workers()
    assert found == [("check-0", "pass"), ("loops", "error"), ("check-1", "pass"), ("check-2", "pass")]
    assert not list(_workers())


def _workers() -> list[int]:
    """The worker processes that this process started."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return [pid for pid in map(int, children) if b"annexa.assess.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _kill_workers() -> None:
    for pid in _workers():
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture
def room(tmp_path: Path, limits: Limits) -> Any:
    """A worker with an empty database, locked."""
    with Sandbox(limits, tmp_path) as sandbox:
        sandbox.ask(Load([], 1, limits.memory, limits.seconds), seconds=30, settle=True)
        yield sandbox


def test_a_crash_says_how_it_ended(
    bench: Any, people: Any, tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker gets a segmentation fault the first time that the parent looks at it while a check runs."""
    looks: list[int] = []

    def look(pid: int) -> int:
        looks.append(pid)
        if len(looks) == 2:
            os.kill(pid, signal.SIGSEGV)
        return 2**20

    monkeypatch.setattr(memory, "resident", look)
    first, next_one = outcomes(bench, people, tmp_path, limits, ENDLESS["takes its time"], GOOD)
    assert (first.status, first.reason) == ("error", "the worker ended, killed by SIGSEGV")
    assert next_one.status == "pass"


def test_a_worker_without_tables_refuses(tmp_path: Path, limits: Limits) -> None:
    with Sandbox(limits, tmp_path) as sandbox, pytest.raises(CheckError, match="nothing is loaded"):
        sandbox.ask(Ask("select 1", [], {}, "2026-09-10T00:00:00Z", 1), seconds=5)


def test_the_worker_sees_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANNEXA_TOKEN", "s3cret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    with Sandbox(Limits(), tmp_path) as sandbox:
        sandbox.start()
        assert sandbox._process is not None
        environment = Path(f"/proc/{sandbox._process.pid}/environ").read_bytes()
        names = {line.partition(b"=")[0] for line in environment.split(b"\0") if line}
    assert b"s3cret" not in environment
    assert names <= {b"PATH", b"LANG", b"LC_ALL", b"TMPDIR", b"LD_LIBRARY_PATH", b"PYTHONPATH", b"TZ"}


def test_the_worker_ends_with_its_sandbox(tmp_path: Path) -> None:
    with Sandbox(Limits(), tmp_path) as sandbox:
        sandbox.start()
        assert sandbox._process is not None
        process = sandbox._process
    assert process.returncode == -signal.SIGKILL


def test_memory_of_a_process_that_is_gone_is_nothing(tmp_path: Path) -> None:
    assert memory.resident(os.getpid()) > 2**20
    with Sandbox(Limits(), tmp_path) as sandbox:
        sandbox.start()
        assert sandbox._process is not None
        pid = sandbox._process.pid
        assert memory._elsewhere(os.getpid()) > 2**20
    assert memory.resident(pid) == 0
    assert memory._elsewhere(pid) == 0


LOCKED_OUT = [
    "copy (select 1) to '{folder}/out.csv'",
    "create table t as select * from read_text('{folder}/secret')",
    "select * from '{folder}/secret'",
    "attach '{folder}/x.db'",
    "install httpfs",
    "load '{folder}/x.duckdb_extension'",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "set temp_directory = '{folder}'",
    "set allowed_paths = ['{folder}']",
    "set allowed_directories = ['{folder}']",
    "set allowed_configs = ['enable_external_access']",
    "set disabled_filesystems = ''",
    "set python_enable_replacements = true",
    "set max_execution_time = 0",
    "export database '{folder}'",
    "import database '{folder}'",
    "select * from glob('{folder}/*')",
    "create secret (type s3)",
    "select * from hidden",
]


@pytest.mark.parametrize("statement", LOCKED_OUT)
def test_the_lock_holds_without_the_gate(tmp_path: Path, statement: str) -> None:
    """Each layer by itself: here a statement has got past the gate."""
    import duckdb

    (tmp_path / "secret").write_text("s3cret")
    with database.connect(1) as con:
        hidden = con.sql("select 's3cret'")
        database.lock(con, 5)
        database.allow(con, 2**28, 1)
        with pytest.raises(duckdb.Error):
            con.execute(statement.format(folder=tmp_path)).fetchall()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret"]
    assert hidden is not None


def test_every_bolt_of_the_lock_is_shut(tmp_path: Path) -> None:
    """Several of them hold the same door; each must hold it alone."""
    import duckdb

    with database.connect(1) as con:
        database.lock(con, 5)
        with pytest.raises(duckdb.Error, match="LocalFileSystem has been disabled"):
            con.execute(f"copy (select 1) to '{tmp_path}/out.csv'")
        settings = dict(con.execute("select name, value from duckdb_settings()").fetchall())
    assert settings["enable_external_access"] == "false"
    assert settings["lock_configuration"] == "true"
    assert settings["temp_directory"] == ""
    assert (settings["allowed_paths"], settings["allowed_directories"]) == ("[]", "[]")
    assert set(settings["allowed_configs"].strip("[]").split(", ")) == {"max_memory", "threads"}  # memory_limit's name
    assert settings["autoload_known_extensions"] == settings["autoinstall_known_extensions"] == "false"
    assert settings["python_enable_replacements"] == "false"
    assert settings["TimeZone"] == "UTC"


def test_duckdb_keeps_the_time_too_where_it_can() -> None:
    import duckdb

    with database.connect(1) as con:
        database.lock(con, 0.1)
        with pytest.raises(duckdb.InterruptException):
            con.execute(
                "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range = 7"
            ).fetchall()


def test_a_check_runs_in_a_transaction_that_cannot_write(tmp_path: Path) -> None:
    import duckdb

    with database.connect(1) as con:
        con.execute("create table person as select 1 as id")
        database.lock(con, 5)
        con.execute("begin transaction read only")
        with pytest.raises(duckdb.Error):
            con.execute("delete from person")
        con.execute("rollback")
        assert con.execute("select count(*) from person").fetchone() == (1,)


def test_an_answer_is_asked_for_in_the_locked_database(room: Sandbox) -> None:
    with pytest.raises(CheckError, match="none of the declared tables"):
        room.ask(Ask("select 1", [], {}, "2026-09-10T00:00:00Z", 1), seconds=5)
