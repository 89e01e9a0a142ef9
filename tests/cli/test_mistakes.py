"""Mistakes: each is answered with what is wrong, what to do, and the exit code of its kind; never with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from annexa.cli import COMMANDS
from tests.cli.conftest import Annexa, Said, run

CONFIG = 'company: Example Ltd\nsources:\n  okta: {collector: okta, url: "https://example.okta.com", token: "env:X"}\n'


def told(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.err
    for word in words:
        assert word in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("soa show A.9.9", ("there is no control A.9.9", "annexa controls list")),
        ("controls show A.9.9", ("there is no control A.9.9", "annexa controls list")),
        ("kpi show nonsense", ("there is no KPI nonsense", "annexa kpi list")),
        ("nc show NC-9999", ("there is no nonconformity NC-9999", "annexa nc list")),
        ("checks show leaver-acces", ("there is no check leaver-acces", "did you mean leaver-access?")),
        ("checks test leaver-acces", ("did you mean leaver-access?",)),
        ("results --check nonsense", ("no result of nonsense", "annexa checks list")),
        ("evidence show 99999", ("the ledger has no entry 99999",)),
        ("scan --source nonsense", ("no source is named nonsense", "okta")),
        ("collectors show nonsense", ("nonsense", "okta")),
        ("permissions nonsense", ("nonsense", "okta")),
        ("scann", ("scann", "scan")),
        ("scan --fail-on huge", ("huge", "critical")),
        ("nc list --state gone", ("gone", "resolved")),
        ("scan --wait -1", ("-1",)),
        ("results --format xml", ("xml", "jsonl")),
        ("checks list --pack nowhere", ("nowhere",)),
    ],
)
def test_a_name_that_does_not_exist_is_a_usage_error(annexa: Annexa, command: str, words: tuple[str, ...]) -> None:
    told(annexa(*command.split()), 64, *words)


def test_a_blob_that_is_not_there_is_a_store_error(annexa: Annexa) -> None:
    told(annexa("evidence", "cat", "f" * 64), 74, "is missing")
    told(annexa("evidence", "cat", "../../annexa.key"), 74, "not a SHA-256 digest")


@pytest.mark.parametrize("command", ["scan", "status", "doctor", "results", "report", "nc list", "soa list"])
def test_a_configuration_that_is_missing(tmp_path: Path, command: str) -> None:
    told(run(*command.split(), folder=tmp_path), 78, f"{tmp_path}/config.yaml", "does not exist", "annexa init")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("company: Example Ltd\nsource: {}\n", 2, ("source",)),
        ("company: Example Ltd\ncompany: Other Ltd\n", 2, ("company",)),
        ("company: [Example\n", 2, ()),
        ("state: sqlite:///annexa.db\n", 1, ("company",)),
        ("company: Example Ltd\nscan:\n  workers: 100\n", 3, ("scan.workers", "64")),
        ("company: Example Ltd\nsources:\n  okta: {collector: octa}\n", 3, ("octa", "okta")),
        (CONFIG.replace("url", "uri"), 3, ("uri", "url")),
        (CONFIG.replace('"env:X"', "plain"), 3, ("token",)),
        (CONFIG + "checks: {exclude: [leaver-acces]}\n", 4, ("leaver-acces", "leaver-access")),
        (CONFIG + "checks:\n  params:\n    leaver-access: {hours: 1}\n", 6, ("hours", "leaver-access")),
        ("company: Example Ltd\nstate: postgresql://annexa:hunter2@db/annexa\n", 2, ("password", "env:NAME")),
    ],
)
def test_a_mistake_in_the_configuration_names_file_and_line(
    tmp_path: Path, text: str, line: int, words: tuple[str, ...]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    for command in ("scan", "doctor"):
        said = run(command, folder=tmp_path)
        told(said, 78, f"{path}:{line}", *words)
        assert "hunter2" not in said.err + said.out
        assert "plain" not in said.err.replace("plainly", "")
    assert [file.name for file in tmp_path.iterdir()] == ["config.yaml"], "nothing was written"


def test_an_error_cannot_speak_to_the_terminal_either(tmp_path: Path) -> None:
    said = run("status", "-c", "\x1b[2Jhere.yaml", folder=tmp_path)
    told(said, 78, "\\x1b[2Jhere.yaml: does not exist\n", "annexa init")
    assert "\x1b[2J" not in said.err


def test_a_store_that_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("company: Example Ltd\n", encoding="utf-8")
    for command in ("status", "results", "nc list", "soa list", "kpi list", "evidence list", "report"):
        told(run(*command.split(), folder=tmp_path), 74, "nothing has been recorded yet", "annexa scan")
    assert [file.name for file in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_with_an_example(name: str) -> None:
    said = run(name, "--help")
    assert said.code == 0
    text = said.out
    if "Commands:" in text:
        listed = text.partition("Commands:")[2].splitlines()
        parts = [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "]
        assert parts
        for part in parts:
            assert f"annexa {name} {part}" in run(name, part, "--help").out, f"{name} {part} has no example"
    else:
        assert f"annexa {name}" in text.partition("\n\n")[2]


def test_help_names_every_command() -> None:
    said = run("--help")
    assert said.code == 0
    wanted = "init doctor scan status results soa controls kpi nc evidence checks collectors permissions report"
    for name in wanted.split():
        assert f"\n  {name} " in said.out
