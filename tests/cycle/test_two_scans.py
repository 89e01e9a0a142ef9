"""Two scans at once: the second refuses, or waits when it is told to."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from annexa.database.models import Run
from annexa.database.session import open_writer
from annexa.evidence.writer_lock import writer_lock
from tests.cycle.estate import SOURCES, Estate

ANNEXA = Path(sys.executable).parent / "annexa"


@pytest.fixture
def small(ltd: Estate) -> Estate:
    ltd.sources = {"incidents": SOURCES["incidents"]}
    ltd.write()
    return ltd


def _run(ltd: Estate, *options: str) -> subprocess.CompletedProcess[str]:
    command = [ANNEXA, "scan", "-c", ltd.folder / "config.yaml", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_second_refuses_and_says_who_is_at_work(small: Estate) -> None:
    engine = open_writer(small.config.database_url())
    with writer_lock(engine, 0):
        second = _run(small)
    engine.dispose()
    assert second.returncode == 75
    assert "the store is in use by process" in second.stderr
    assert "Traceback" not in second.stderr
    assert small.all(Run) == [], "it recorded nothing"
    assert not small.stored()


def test_the_second_waits_when_it_is_told_to(small: Estate) -> None:
    engine = open_writer(small.config.database_url())
    with writer_lock(engine, 0):
        done: list[subprocess.CompletedProcess[str]] = []
        waiting = threading.Thread(target=lambda: done.append(_run(small, "--wait", "60")))
        waiting.start()
        waiting.join(2.5)
        assert not done, "it waits"
        assert small.all(Run) == []
    waiting.join(60)
    engine.dispose()
    assert done[0].returncode == 1, done[0].stderr
    assert len(small.all(Run)) == 1
