from __future__ import annotations

import pytest

from annexa.database.session import open_writer
from annexa.errors import StoreBusy
from annexa.evidence.writer_lock import writer_lock


def test_one_writer_at_a_time(database: str) -> None:
    engine, other = open_writer(database), open_writer(database)
    with writer_lock(engine, 0), pytest.raises(StoreBusy), writer_lock(other, 0.1):
        pytest.fail("two writers at once")
    with writer_lock(other, 0):
        pass
    engine.dispose()
    other.dispose()
