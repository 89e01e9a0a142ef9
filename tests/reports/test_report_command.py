"""`annexa report`: the file is there as a whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from annexa.cli.report import command
from annexa.errors import StoreError
from annexa.reports.saving import save


@pytest.fixture
def config(company: Any, tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(f"company: Example Ltd\nstate: {company.engine.url}\nevidence: {company.blobs.root}\n")
    return file


@pytest.fixture
def report(config: Path) -> Callable[..., Any]:
    return lambda *arguments: CliRunner().invoke(
        command, ["-c", str(config), *map(str, arguments)], catch_exceptions=False
    )


def test_it_writes_the_page_and_prints_its_path(report: Callable[..., Any], tmp_path: Path) -> None:
    output = tmp_path / "out.html"
    found = report("-o", output)
    assert (found.exit_code, found.output) == (0, f"{output}\n")
    page = output.read_text()
    assert page.startswith("<!doctype html>")
    assert "<h1>Example Ltd</h1>" in page
    assert "5 sources were taken out of the configuration" in page
    assert "The Statement of Applicability is the built-in example" in page
    assert list(tmp_path.glob(".*")) == []


def test_it_tells_a_machine_what_it_wrote(report: Callable[..., Any], tmp_path: Path) -> None:
    output = tmp_path / "out.html"
    said = json.loads(report("--json", "-o", output).output)
    page = output.read_bytes()
    assert said == {"report": str(output), "bytes": len(page), "sha256": sha256(page).hexdigest()}


def test_its_name_is_annexa_report_by_default(
    report: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert report().output == "annexa-report.html\n"
    assert (tmp_path / "annexa-report.html").stat().st_size > 100_000


def test_a_folder_that_does_not_exist_is_an_error_that_says_so(report: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot write .*nowhere/out\.html: No such file"):
        report("-o", tmp_path / "nowhere/out.html")


@pytest.mark.parametrize("broken", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    output = tmp_path / "out.html"
    save(output, b"old")
    monkeypatch.setattr(os, broken, full)
    with pytest.raises(StoreError, match="No space left on device"):
        save(output, b"new")
    monkeypatch.undo()
    assert output.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.html"]


def test_what_is_half_written_has_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out.html"
    seen: list[bool] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (seen.append(output.exists()), real(handle))[1])
    save(output, b"x" * 100_000)
    assert seen == [False, True]
    assert output.read_bytes() == b"x" * 100_000
