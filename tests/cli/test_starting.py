"""From nothing: init, doctor, a dry run, a first scan, checks of one's own, and how little `--help` needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annexa.config import load
from tests.cli.conftest import run
from tests.cycle.estate import SOURCES, Estate, estate

CHECK = """\
id: own-check
title: Everybody has an address
severity: low
controls: [A.5.9]
requires: {person: 7d}
population: select id as resource, source, scope from person
query: |
  select id as resource, source, scope, case when email is not null then 'pass' else 'fail' end as status,
         'judged' as reason
  from person
remediation: Give them one.
tests:
  - name: with
    as_of: 2026-09-10T00:00:00Z
    given: {person: [{id: "1", email: ada@example.com}]}
    expect: [{resource: "1", status: pass}]
  - name: without
    as_of: 2026-09-10T00:00:00Z
    given: {person: [{id: "1"}]}
    expect: [{resource: "1", status: fail}]
"""


@pytest.fixture
def ltd(tmp_path: Path) -> Iterator[Estate]:
    """GitHub and the people, not scanned yet."""
    with estate(tmp_path / "ltd") as made:
        made.sources = {name: SOURCES[name] for name in ("code", "people")}
        made.write()
        yield made


def test_init_writes_a_folder_that_works(tmp_path: Path) -> None:
    said = run("init", "acme", "--company", 'Acme: "a" & {b} #1', folder=tmp_path)
    folder = tmp_path / "acme"
    assert said.code == 0
    assert load(folder / "config.yaml").company == 'Acme: "a" & {b} #1'
    assert run("doctor", "--offline", folder=folder).code == 0
    findings: Any = run("doctor", "--offline", "--json", folder=folder).json
    assert {finding["state"] for finding in findings} == {"ok", "note"}
    assert run("checks", "list", "--pack", ".", folder=folder).code == 0
    assert run("scan", "-q", folder=folder).code == 0
    assert {"annexa.db", "annexa.key", "annexa.key.pub", "soa", "checks"} <= {p.name for p in folder.iterdir()}


@pytest.mark.parametrize("there", ["config.yaml", "soa/statement.yaml", ".gitignore"])
def test_init_overwrites_nothing(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine", encoding="utf-8")
    said = run("init", folder=tmp_path)
    assert said.code == 64
    assert f"{there} is already there: nothing was written" in said.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / there]
    assert (tmp_path / there).read_text(encoding="utf-8") == "mine"


def test_doctor_says_what_is_denied_and_what_to_grant(ltd: Estate) -> None:
    assert run("doctor", folder=ltd.folder).code == 0
    ltd.github.deny("/orgs/example/members")
    ltd.file("people").unlink()
    said = run("doctor", folder=ltd.folder)
    assert said.code == 2
    assert "denied  code/global/members" in said.out
    assert "Organization permissions: Members (read)" in said.out
    assert "failed  people/global/records: exports/people.csv does not exist" in said.out
    assert "3 to put right" in said.out
    findings: Any = run("doctor", "--json", folder=ltd.folder).json
    assert {f["what"] for f in findings if f["state"] == "denied"} == {
        "code/global/members",
        "code/global/members_without_2fa",
    }
    assert not (ltd.folder / "annexa.db").exists()
    assert not (ltd.folder / "evidence").exists()


def test_a_dry_run_shows_the_plan_and_records_nothing(ltd: Estate) -> None:
    said = run("scan", "--dry-run", folder=ltd.folder)
    assert said.code == 0
    assert "code/global/members" in said.out
    assert "8 shards would be collected; nothing was recorded" in said.out
    plan: Any = run("scan", "--dry-run", "--json", "--source", "people", folder=ltd.folder).json
    assert plan == {"shards": ["people/global/records"], "lost": []}
    assert not [path for path in ltd.folder.iterdir() if path.name.startswith(("annexa", "evidence"))]
    assert ltd.github.requests == []


def test_a_scan_tells_people_and_machines_and_keeps_quiet_when_asked(ltd: Estate) -> None:
    said = run("scan", folder=ltd.folder)
    assert said.code == 1
    assert "8 complete shards" in said.out
    assert "github-review-required" in said.out
    again: Any = run("scan", "--json", "--fail-on", "critical", folder=ltd.folder)
    assert (again.code, again.json["exit_code"]) == (0, 0)
    assert run("scan", "-q", "--fail-on", "never", folder=ltd.folder).out == ""
    ltd.github.fail("/orgs/example/rulesets", status=404)
    quiet = run("scan", "-q", "--fail-on", "never", folder=ltd.folder)
    assert quiet.code == 2
    assert quiet.out.index("not seen:") < quiet.out.index("code/global/rulesets") < quiet.out.index("run 20")


def test_checks_of_ones_own_are_tested_and_a_failing_case_is_exit_1(tmp_path: Path) -> None:
    path = tmp_path / "checks" / "own-check.yaml"
    path.parent.mkdir()
    path.write_text(CHECK, encoding="utf-8")
    said = run("checks", "test", "own-check", "--pack", ".", folder=tmp_path)
    assert (said.code, said.out.count("pass  own-check: ")) == (0, 2)
    path.write_text(CHECK.replace(", email: ada@example.com", ""), encoding="utf-8")
    said = run("checks", "test", "own-check", "--pack", ".", folder=tmp_path)
    assert said.code == 1
    assert "FAIL  own-check: with\n" in said.out
    assert "1 cases fail" in said.out
    cases: Any = run("checks", "test", "own-check", "--pack", ".", "--json", folder=tmp_path).json
    assert [(case["case"], case["passed"]) for case in cases] == [("with", False), ("without", True)]
    path.write_text(CHECK.replace("severity: low", "severity: huge"), encoding="utf-8")
    said = run("checks", "list", "--pack", ".", folder=tmp_path)
    assert said.code == 65
    assert f"{path}:3: severity" in said.err


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, json, contextlib, io\nfrom annexa.cli import main\nsys.argv = ['annexa', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout))
    assert "click" in imported
    heavy = {
        "duckdb",
        "boto3",
        "botocore",
        "sqlalchemy",
        "requests",
        "jsonschema",
        "openpyxl",
        "rich",
        "yaml",
        "msgspec",
    }
    assert not imported & heavy


def test_the_command_is_installed_and_says_its_version() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "annexa", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("annexa, version ")
    assert done.stderr == ""
