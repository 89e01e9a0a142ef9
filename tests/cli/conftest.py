"""A company that was scanned once, for all commands that only read, and the `annexa` command in this process."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from annexa.cli import main
from tests.cycle.estate import Estate, estate

HOSTILE = "eve\x1b]0;owned\x07\x1b[2J\u202e"
FORMULA = "=HYPERLINK(1)"


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return msgspec.json.decode(self.out)


Annexa = Callable[..., Said]


def run(*arguments: object, folder: Path | None = None) -> Said:
    """`annexa ARGUMENTS`, as its entry point runs it, in a folder."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), io.StringIO()
    before, argv = Path.cwd(), sys.argv
    sys.argv = ["annexa", *map(str, arguments)]
    os.chdir(folder or before)
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
    finally:
        os.chdir(before)
        sys.argv = argv
    out.flush()
    buffer = out.detach()
    assert isinstance(buffer, io.BytesIO)
    return Said(int(ended.value.code or 0), buffer.getvalue().decode(), err.getvalue())


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """Scanned once, with a hostile member and one whose name is a formula, neither with a second factor."""
    with estate(tmp_path_factory.mktemp("cli") / "ltd") as made:
        del made.sources["awareness"]
        for number, login in enumerate((HOSTILE, FORMULA)):
            person = {"login": login, "id": 9100 + number, "role": "member", "two_factor": False, "public": False}
            made.github.state["members"].append(person)
        assert made.scan().exit_code == 1
        yield made


@pytest.fixture
def annexa(company: Estate) -> Annexa:
    """A command on the scanned company."""
    return lambda *arguments: run(*arguments, folder=company.folder)
