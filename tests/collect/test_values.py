"""A vendor's value as a value of its column, or said not to be understood."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa import clock
from annexa.collect.values import Unparsable, convert
from annexa.sdk import ColumnType

T = ColumnType
KOLKATA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (T.TEXT, "Ada", "Ada"),
        (T.TEXT, "", ""),
        (T.TEXT, 12, "12"),
        (T.TEXT, 1.5, "1.5"),
        (T.TEXT, True, "true"),
        (T.TEXT, datetime(2026, 9, 10, 5, 30, tzinfo=KOLKATA), "2026-09-10T00:00:00.000000Z"),
        (T.INTEGER, 12, 12),
        (T.INTEGER, 12.0, 12),
        (T.INTEGER, "-12", -12),
        (T.INTEGER, "12.00", 12),
        (T.INTEGER, 2**63 - 1, 2**63 - 1),
        (T.NUMBER, 1, 1.0),
        (T.NUMBER, "1.5e3", 1500.0),
        (T.BOOLEAN, False, False),
        (T.BOOLEAN, "TRUE", True),
        (T.TIMESTAMP, "2026-09-10T00:00:00Z", "2026-09-10T00:00:00.000000Z"),
        (T.TIMESTAMP, "2026-09-10t00:00:00z", "2026-09-10T00:00:00.000000Z"),
        (T.TIMESTAMP, "2026-09-10T02:00:00+0200", "2026-09-10T00:00:00.000000Z"),
        (T.TIMESTAMP, "2026-09-09 19:00:00.123-05:00", "2026-09-10T00:00:00.123000Z"),
        (T.TIMESTAMP, "2026-09-10", "2026-09-10T00:00:00.000000Z"),
        (T.TIMESTAMP, date(2026, 9, 10), "2026-09-10T00:00:00.000000Z"),
        (T.TIMESTAMP, 1789000000, "2026-09-10T00:26:40.000000Z"),
        (T.TIMESTAMP, 1789000000000, "2026-09-10T00:26:40.000000Z"),
        (T.TIMESTAMP, "1789000000.5", "2026-09-10T00:26:40.500000Z"),
        (T.TIMESTAMP, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        (T.JSON, {"at": datetime(2026, 9, 10, tzinfo=UTC), "n": [1, 1.5, None, True]},
         {"at": "2026-09-10T00:00:00.000000Z", "n": [1, 1.5, None, True]}),
        (T.TEXTS, ["a", 1, True], ["a", "1", "true"]),
        (T.TEXTS, "a", ["a"]),
        (T.TEXTS, [], []),
    ],
)  # fmt: skip
def test_a_value_that_is_understood(kind: ColumnType, raw: Any, value: Any) -> None:
    assert convert(kind, raw) == value
    assert type(convert(kind, raw)) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (T.TEXT, {"a": 1}),
        (T.TEXT, ["a"]),
        (T.TEXT, float("nan")),
        (T.TEXT, b"bytes"),
        (T.INTEGER, True),
        (T.INTEGER, 1.5),
        (T.INTEGER, "twelve"),
        (T.INTEGER, "1_000"),
        (T.INTEGER, "١٢"),
        (T.INTEGER, ""),
        (T.INTEGER, 2**63),
        (T.NUMBER, True),
        (T.NUMBER, "1,5"),
        (T.NUMBER, "nan"),
        (T.NUMBER, float("inf")),
        (T.NUMBER, 10**400),
        (T.NUMBER, "1e999"),
        (T.BOOLEAN, 1),
        (T.BOOLEAN, "yes"),
        (T.BOOLEAN, ""),
        (T.TIMESTAMP, "2026-09-10T00:00:00"),
        (T.TIMESTAMP, datetime(2026, 9, 10)),
        (T.TIMESTAMP, "10/09/2026"),
        (T.TIMESTAMP, "2026-02-30T00:00:00Z"),
        (T.TIMESTAMP, "20260910"),
        (T.TIMESTAMP, "never"),
        (T.TIMESTAMP, ""),
        (T.TIMESTAMP, True),
        (T.TIMESTAMP, 1e17),
        (T.TIMESTAMP, float("nan")),
        (T.TIMESTAMP, "0001-01-01T00:00:00+01:00"),
        (T.JSON, {"at": datetime(2026, 9, 10)}),
        (T.JSON, [float("nan")]),
        (T.JSON, {1: "a"}),
        (T.JSON, b"bytes"),
        (T.TEXTS, ["a", None]),
        (T.TEXTS, [["a"]]),
        (T.TEXTS, {"a": 1}),
    ],
)  # fmt: skip
def test_a_value_that_is_not_understood_is_never_null(kind: ColumnType, raw: Any) -> None:
    assert isinstance(convert(kind, raw), Unparsable)


@pytest.mark.parametrize("kind", list(T))
def test_null_stays_null(kind: ColumnType) -> None:
    assert convert(kind, None) is None


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.timezones()))
def test_every_instant_survives_any_zone(moment: datetime) -> None:
    there_and_back = clock.moment(convert(T.TIMESTAMP, moment))
    assert there_and_back == moment.astimezone(UTC)


@given(st.datetimes(min_value=datetime(1974, 1, 1), max_value=datetime(2100, 1, 1)))
def test_seconds_and_milliseconds_mean_the_same_instant(naive: datetime) -> None:
    seconds = int(naive.replace(tzinfo=UTC).timestamp())
    assert convert(T.TIMESTAMP, seconds) == convert(T.TIMESTAMP, seconds * 1000)
    assert clock.moment(convert(T.TIMESTAMP, seconds)) == naive.replace(microsecond=0, tzinfo=UTC)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(list(T)), anything)
def test_whatever_a_vendor_sends_is_converted_or_refused_but_never_raises_or_becomes_null(
    kind: ColumnType, raw: Any
) -> None:
    assert (convert(kind, raw) is None) == (raw is None)
