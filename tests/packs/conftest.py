"""Packs to mount: written into a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annexa.errors import PackError

COLLECTOR = """\
from dataclasses import dataclass
from typing import Annotated

from annexa.sdk import Collector, Help


@dataclass(frozen=True)
class Config:
    url: Annotated[str, Help("The address")] = "https://example.com"


{name} = Collector("{name}", config=Config, connect=lambda config, open: None, docs="{docs}")
"""

KPI = """\
id: {id}
title: {title}
purpose: Whether it is so.
unit: count
direction: down
target: 0
thresholds: {{warn: 1}}
frequency: run
records: [nonconformity]
formula: select count(*) as value from nonconformity
owner: CISO
collector: annexa
analyst: CISO
reporting: Management review
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Writes a pack: path below it to content."""

    def made(files: dict[str, str], name: str = "pack") -> Path:
        root = tmp_path / name
        for file, content in files.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return root

    return made


@pytest.fixture
def collector() -> Callable[..., str]:
    """The source of a collector's module."""
    return lambda name, docs="https://example.com": COLLECTOR.format(name=name, docs=docs)


@pytest.fixture
def kpi() -> Callable[..., str]:
    """The text of a KPI."""
    return lambda id, title: KPI.format(id=id, title=title)


@pytest.fixture
def refused() -> Callable[[Callable[[], Any]], PackError]:
    """The `PackError` of an act that must be refused."""

    def refusal(act: Callable[[], Any]) -> PackError:
        with pytest.raises(PackError) as raised:
            act()
        return raised.value

    return refusal
