"""Ages and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa import ages
from annexa.schemas import schema


@given(st.integers(1, 99999), st.sampled_from("smhdw"))
def test_an_age_reads_back_from_its_text(number: int, unit: str) -> None:
    lengths = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    value = ages.age(f"{number}{unit}")
    assert value.total_seconds() == number * lengths[unit]
    shown = ages.age_text(value)
    assert ages.age(shown) == value
    assert not [
        larger
        for larger in lengths
        if lengths[larger] > lengths[shown[-1]] and number * lengths[unit] % lengths[larger] == 0
    ]


@pytest.mark.parametrize("text", ["", "0h", "h", "1", "1.5h", "-1h", "1y", "1h ", "1h\n", "100000s", "１h"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an age"):
        ages.age(text)


def test_sizes_are_decimal() -> None:
    assert (ages.size("512MB"), ages.size("2GB")) == (512 * 10**6, 2 * 10**9)
    for text in ("512", "1kB", "1GiB", "0MB", "1 GB"):
        with pytest.raises(ValueError, match="is not a size"):
            ages.size(text)


def test_the_schema_and_the_parser_agree_on_ages_and_sizes() -> None:
    base = schema("schemas/config.schema.json")
    assert base["$defs"]["age"]["pattern"] == ages.AGE
    assert base["properties"]["scan"]["properties"]["check_memory"]["pattern"] == ages.SIZE
