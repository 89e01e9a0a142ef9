"""The same state scanned twice: nothing new is decided, nothing is written again."""

from __future__ import annotations

import pytest

from annexa.database import models
from tests.cycle.estate import Estate


@pytest.mark.slow
def test_nothing_changes_when_nothing_has_changed(ltd: Estate) -> None:
    first = ltd.scan()
    assert len(first.nonconformities["raised"]) == len(ltd.nonconformities()) > 0
    before = _told(ltd), ltd.standing(), ltd.results(), ltd.effectiveness()
    segments, blobs = ltd.segments(first.run), ltd.stored()
    second = ltd.scan()
    assert second.nonconformities == {"raised": [], "updated": [], "resolved": [], "reopened": []}
    assert (second.exit_code, second.shards, second.checks) == (first.exit_code, first.shards, first.checks)
    told, standing, results, effectiveness = before
    assert (_told(ltd), ltd.standing(), ltd.effectiveness()) == (told, standing, effectiveness)
    assert {name: result.counts for name, result in ltd.results().items()} == {n: r.counts for n, r in results.items()}
    assert ltd.segments(second.run) == segments, "a segment of the same rows is the same blob"
    assert ltd.stored() - blobs <= _exchanges(ltd, second.run), "only what was asked and when is new"
    assert {ltd.results()[name].results for name in results} == {result.results for result in results.values()}


def _told(ltd: Estate) -> dict[tuple[str, str], tuple[object, ...]]:
    columns = [column.name for column in models.Nonconformity.__table__.columns]
    return {key: tuple(getattr(row, name) for name in columns) for key, row in ltd.nonconformities().items()}


def _exchanges(ltd: Estate, run: str) -> set[str]:
    """The recordings of a run: they hold the times of its answers."""
    shards = ltd.all(models.Shard, models.Shard.run == run)
    return {digest for shard in shards for digest in (shard.exchanges, shard.bodies) if digest}
