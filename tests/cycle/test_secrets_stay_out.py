"""No token's value in anything that a scan leaves or says, even where the vendor sends it back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from tests.cycle.estate import SECRETS, Estate

ANNEXA = Path(sys.executable).parent / "annexa"


@pytest.mark.slow
def test_no_secret_is_in_the_store_the_output_or_the_report(ltd: Estate) -> None:
    config = ltd.write()
    ltd.okta.state["users"][0]["profile"]["note"] = f"use SSWS {SECRETS['okta']}"
    ltd.github.state["organisation"]["name"] = f"Example {SECRETS['github']} Ltd"
    ltd.knowbe4.fail("/v1/training/enrollments", status=404)
    ltd.knowbe4.error = lambda status, _: type(ltd.knowbe4).error(ltd.knowbe4, status, f"no {SECRETS['knowbe4']}")
    said = b""
    for command in (
        ["scan"],
        ["scan", "--json", "--source", "code"],
        ["report", "-o", "report.html"],
        ["results", "--format", "jsonl"],
    ):
        done = subprocess.run([ANNEXA, *command, "-c", config], cwd=ltd.folder, capture_output=True, check=False)
        assert done.returncode in (0, 2, 3), done.stderr
        said += done.stdout + done.stderr
    kept = [path for path in ltd.folder.rglob("*") if path.is_file() and path.parent.name != "secrets"]
    texts = {path.name: _opened(path) for path in kept} | {"output": said}
    assert len(texts) > 60
    assert b"[redacted]" in b"".join(texts.values()), "what came back was cut"
    for name, secret in SECRETS.items():
        assert [where for where, text in texts.items() if secret.encode() in text] == [], name


def _opened(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix != ".zst":
        return data
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)
