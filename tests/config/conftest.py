"""A config.yaml of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes it and gives its path; the company comes first."""

    def written(text: str, company: str = "company: Example Ltd\n") -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(company + text, encoding="utf-8")
        return path

    return written
