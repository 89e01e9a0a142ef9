"""config.yaml: defaults, paths, and errors with line, field and expectation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from annexa import strict_yaml
from annexa.config import load, verify_checks
from annexa.errors import ConfigError

Write = Callable[..., Path]


def refusal(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert refused.value.path == str(path)
    return refused.value


def test_a_company_is_enough(write: Write, tmp_path: Path) -> None:
    config = load(write(""))
    assert config.company == "Example Ltd"
    assert config.state == config.database_url() == f"sqlite:///{tmp_path}/annexa.db"
    assert config.evidence == tmp_path / "evidence"
    assert (config.packs, dict(config.sources)) == ((), {})
    assert (config.ledger.origin, config.ledger.key) == ("annexa.invalid/example-ltd", tmp_path / "annexa.key")
    assert (config.scan.workers, config.scan.fail_on) == (8, "low")
    assert config.scan.deadline == timedelta(minutes=30)
    assert (config.scan.check_timeout, config.scan.check_memory) == (timedelta(seconds=60), 2_000_000_000)
    assert (config.checks.exclude, dict(config.checks.params)) == ((), {})
    assert config.digest == hashlib.sha256(b"company: Example Ltd\n").hexdigest()


def test_what_is_written_is_read(write: Write, tmp_path: Path) -> None:
    config = load(
        write("""\
state: sqlite:////var/lib/annexa/state.db?mode=rw
evidence: ../sealed
packs: [., ./controls, /srv/pack, ~/pack, controls/own, installed-pack]
ledger: {origin: example.com/isms, key: keys/one.key}
sources:
  people: {collector: files, max_age: 7d, table: person, path: people.csv}
  a2: {collector: aws}
scan: {workers: 2, fail_on: never, deadline: 90s, check_timeout: 2m, check_memory: 512MB}
checks:
  exclude: [leaver-access]
  params: {log-age: {hours: 48, names: [a, b]}}
""")
    )
    assert config.state == "sqlite:////var/lib/annexa/state.db?mode=rw"
    assert config.evidence.resolve() == tmp_path.parent / "sealed"
    assert config.packs == (
        tmp_path, tmp_path / "controls", Path("/srv/pack"), Path("~/pack").expanduser(), tmp_path / "controls/own",
        "installed-pack",
    )  # fmt: skip
    assert (config.ledger.origin, config.ledger.key) == ("example.com/isms", tmp_path / "keys/one.key")
    people = config.sources["people"]
    assert (people.name, people.collector, people.max_age, people.line) == ("people", "files", timedelta(days=7), 7)
    assert people.raw["path"] == "people.csv"
    assert config.sources["a2"].max_age is None
    assert (config.scan.workers, config.scan.fail_on, config.scan.deadline) == (2, "never", timedelta(seconds=90))
    assert (config.scan.check_timeout, config.scan.check_memory) == (timedelta(minutes=2), 512_000_000)
    assert config.checks.exclude == ("leaver-access",)
    assert config.checks.params == {"log-age": {"hours": 48, "names": ["a", "b"]}}


def test_paths_do_not_depend_on_where_annexa_is_started(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("packs: [.]\n")
    monkeypatch.chdir(tmp_path)
    here = load(Path("config.yaml"))
    monkeypatch.chdir("/")
    assert load(tmp_path / "config.yaml") == here
    assert here.packs == (tmp_path,)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    assert "annexa init" in refusal(tmp_path / "config.yaml").remedy


BROKEN = {
    "unknown field": ("compnay: x\n", 2, "compnay: unknown field; did you mean company?"),
    "unknown field in a section": ("scan:\n  worker: 1\n", 3, "scan.worker: unknown field; did you mean workers?"),
    "duplicate": ("packs: []\npacks: [.]\n", 3, "the key packs is given twice"),
    "alias": ("packs: &p [.]\n", 2, "the anchor &p"),
    "severity": ("scan: {fail_on: hgih}\n", 2, "scan.fail_on: is 'hgih', not one of low, medium, high, critical"),
    "workers": ("scan: {workers: 0}\n", 2, "scan.workers: is 0, expected at least 1"),
    "age": ("scan:\n  deadline: 30 minutes\n", 3, "scan.deadline: is '30 minutes', expected a time such as"),
    "age without unit": ("scan: {deadline: 30}\n", 2, "scan.deadline: is 30, expected a time such as"),
    "memory": ("scan: {check_memory: 2GiB}\n", 2, "scan.check_memory: is '2GiB', expected a size such as"),
    "source name": ("sources:\n  AWS: {collector: aws}\n", 3, "sources.AWS: is 'AWS', expected a name of lower-case"),
    "source without collector": ("sources:\n  aws: {}\n", 3, "sources.aws: collector is missing"),
    "source without content": ("sources:\n  aws:\n", 3, "sources.aws: is empty, expected a mapping"),
    "max_age": ("sources:\n  aws:\n    collector: aws\n    max_age: 1y\n", 5, "sources.aws.max_age: is '1y', expected"),
    "check id": ("checks: {exclude: [Leaver]}\n", 2, "checks.exclude[0]: is 'Leaver', expected the id of a check"),
    "params": ("checks: {params: {a-check: 5}}\n", 2, "checks.params.a-check: is 5, expected a mapping"),
    "origin": ("ledger: {origin: my log}\n", 2, "ledger.origin: is 'my log', expected a name without spaces"),
    "object store": ("evidence: s3://bucket/prefix\n", 2, "evidence: object stores are not supported"),
    "other database": ("state: mysql://db/annexa\n", 2, "state: mysql is not supported; expected sqlite:///FILE"),
    "no address": ("state: annexa.db\n", 2, "state: is not a database's address"),
    "no file": ("state: sqlite://\n", 2, "state: names no file"),
    "state that is lost": ("state: 'sqlite:///:memory:'\n", 2, "state: names no file"),
    "not YAML": ("sources: [\n", 3, "is not YAML"),
}


@pytest.mark.parametrize(("text", "line", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_an_error_names_line_field_and_expectation(write: Write, text: str, line: int, message: str) -> None:
    refused = refusal(write(text))
    assert refused.line == line
    assert f"config.yaml:{line}: {message}" in str(refused)
    assert refused.exit_code == 78
    assert refused.remedy


@pytest.mark.parametrize("text", ["", "[a]\n", "company:\n", "company: ' '\n", "company: ''\n"])
def test_a_company_must_be_named(write: Write, text: str) -> None:
    assert refusal(write(text, company="")).line == 1


def test_a_company_without_latin_letters_has_an_origin_too(write: Write) -> None:
    first, second = (load(write(f"company: {name}\n", company="")) for name in ("例株式会社", "Пример"))
    assert first.ledger.origin != second.ledger.origin
    assert first.ledger.origin.removeprefix("annexa.invalid/").isalnum()
    assert load(write("company: Müller & Söhne\n", company="")).ledger.origin == "annexa.invalid/muller-sohne"


TUNED = """\
checks:
  exclude:
  - mfa-all
  params:
    leaver-access:
      hours: 48
"""

MISFITS = {
    "excluded": ("mfa-all", "mfa-al", 4, "checks.exclude.0", "there is no check named mfa-al; did you mean mfa-all?"),
    "tuned": ("leaver-access:", "leaver:", 6, "checks.params.leaver", "there is no check named leaver; did you mean"),
    "parameter": (
        "hours:",
        "hour:",
        7,
        "checks.params.leaver-access.hour",
        "there is no parameter of leaver-access named",
    ),
    "type": (
        "48",
        "48h",
        7,
        "checks.params.leaver-access.hours",
        "is text, expected a number, as the check has it: 24",
    ),
    "list": ("48", "[48]", 7, "checks.params.leaver-access.hours", "is a list, expected a number"),
    "boolean": ("48", "true", 7, "checks.params.leaver-access.hours", "is true or false, expected a number"),
}


@pytest.fixture
def checks() -> dict[str, strict_yaml.Document]:
    texts = {"mfa-all": "id: mfa-all\n", "leaver-access": "id: leaver-access\nparams: {hours: 24}\n"}
    return {name: strict_yaml.loads(text) for name, text in texts.items()}


def test_checks_that_exist_may_be_excluded_and_tuned(write: Write, checks: dict[str, strict_yaml.Document]) -> None:
    verify_checks(load(write(TUNED)), checks)
    verify_checks(load(write(TUNED.replace("48", "1.5"))), checks)


@pytest.mark.parametrize(("old", "new", "line", "field", "message"), MISFITS.values(), ids=MISFITS.keys())
def test_a_misspelt_check_is_an_error_and_not_an_exclusion_of_nothing(
    write: Write, checks: dict[str, strict_yaml.Document], old: str, new: str, line: int, field: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        verify_checks(load(write(TUNED.replace(old, new))), checks)
    assert (refused.value.line, refused.value.field) == (line, field)
    assert message in str(refused.value)
