"""The sample company: its configuration is valid, it serves, it changes, and it stops."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any
from urllib.request import Request, urlopen

import pytest

from annexa.config import load
from annexa.cycle import Content
from annexa.packs import mount
from demo import config
from demo.company import tell
from tests.simulators import okta_states

ROOT = Path(__file__).parents[2]
SERVE = "from pathlib import Path; from demo.company import serve; serve(Path({!r}))"


def _until(done: Callable[[], bool]) -> None:
    end = monotonic() + 60
    while not done():
        assert monotonic() < end, "nothing happened for a minute"
        Event().wait(0.02)


@pytest.fixture
def about(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The running company, in a folder of its own and a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", SERVE.format(str(tmp_path))], cwd=ROOT)
    try:
        _until(lambda: (tmp_path / "company.json").exists() or process.poll() is not None)
        yield json.loads((tmp_path / "company.json").read_text(encoding="utf-8"))
    finally:
        tell("stop", tmp_path)
        assert process.wait(60) == 0


def test_its_configuration_fits_the_collectors_and_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    urls = {name: f"http://127.0.0.1:{port}" for port, name in enumerate(("aws", "github", "okta", "knowbe4"), 9001)}
    path = config.write(tmp_path, urls, "logs")
    found = load(path)
    content = Content.of(found, mount(found.packs))
    filled = {table.name for s in content.sources for tables in s.tables(content.tables).values() for table in tables}
    fed = {name for name, entity in content.entities.items() if filled & {name, *entity.feeds}}
    unsourced = {name for name, check in content.checks.items() if not check.requires.keys() <= filled | fed}
    assert unsourced == set(), "the demo shows every check"
    assert len(content.statement) == 93
    text = path.read_text(encoding="utf-8")
    assert not [secret for name, secret in config.SECRETS.items() if "aws" not in name and secret in text]
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o600}


@pytest.mark.slow
def test_it_serves_drifts_is_repaired_and_stops(about: dict[str, Any], tmp_path: Path) -> None:
    assert about["urls"].keys() == {"aws", "github", "okta", "knowbe4"}
    assert _leaver(about) == "ACTIVE"
    assert len(_export(tmp_path, "people")) == 14
    incidents = len(_export(tmp_path, "incidents"))
    assert tell("drift", tmp_path)
    assert len(_export(tmp_path, "incidents")) == incidents + 1
    assert tell("repair", tmp_path)
    assert _leaver(about) == "DEPROVISIONED"
    assert [row for row in _export(tmp_path, "incidents") if row["State"] == "Open"] == []
    assert tell("stop", tmp_path)
    assert not (tmp_path / "company.json").exists()
    assert not tell("drift", tmp_path), "there is nobody to tell"


def test_telling_nobody_is_no_error(tmp_path: Path) -> None:
    assert not tell("stop", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "demo", "drift"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "no company is running - start it with: make demo\n")


def _leaver(about: dict[str, Any]) -> str:
    """What Okta says of the leaver now: users are listed apart once they are deprovisioned."""
    for query in ("", "?filter=status+eq+%22DEPROVISIONED%22"):
        request = Request(
            f"{about['urls']['okta']}/api/v1/users{query}", headers={"Authorization": "SSWS okta-super-token"}
        )
        with urlopen(request) as answer:
            for user in json.load(answer):
                if user["id"] == okta_states.user_id("edsger.dijkstra"):
                    return str(user["status"])
    return ""


def _export(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "exports" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
