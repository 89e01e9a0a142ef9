"""A company for each test, and an HTTP side that does not wait between its tries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annexa.collect import connections
from annexa.collect.retry import Patience
from annexa.collect.wire import Wire
from tests.cycle.estate import Estate, estate


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries without a pause between them: waiting is tested where it is done."""

    def wire(redactor: Any) -> Wire:
        return Wire(learn=redactor.learn, patience=Patience(attempts=2, sleep=lambda _: None))

    monkeypatch.setattr(connections, "_wire", wire)


@pytest.fixture
def ltd(tmp_path: Path) -> Iterator[Estate]:
    """The company as it is found."""
    with estate(tmp_path / "ltd") as made:
        yield made


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The company after a scan that saw everything: some checks fail. A test leaves its systems as it found them."""
    with estate(tmp_path_factory.mktemp("seen") / "ltd") as made:
        assert made.scan().unseen == []
        yield made
