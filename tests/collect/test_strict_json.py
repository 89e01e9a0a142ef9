from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annexa.collect.strict_json import decode
from annexa.errors import Unreadable

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES, st.booleans())
def test_valid_json_is_read_as_the_standard_library_reads_it(value: object, escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    assert decode(raw) == json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"a": 1, "a": 2}', "'a' at line 1, column 10"),
        (b'{"x": [\n {"b": 1,\n  "c": {}, "b": 2}]}', "'b' at line 3, column 12"),
        (b'{"a": 1, "\\u0061": 2}', "'a' at line 1"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e400]", "1e400"),
        (b"[-1e400]", "-1e400"),
        (b'[{"id": 1}, {"id": 2', "line 1, column 21"),
        (b'[{"id": 1}] [', "line 1, column 13"),
        (b"", "line 1, column 1"),
        (b"\xef\xbb\xbf[]", "BOM"),
        (b'["\xff"]', "byte 2"),
        (b'["\\ud800"]', "surrogate"),
        (b'["a\nb"]', "control character"),
        (b"[" * 200_000, "nested"),
        (b"[" + b"9" * 5000 + b"]", "digits"),
    ],
)
def test_what_a_lenient_parser_would_mend_is_refused_with_its_place(raw: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match="(?i)" + says.replace("+", r"\+")):
        decode(raw)


def test_the_same_key_in_two_objects_is_fine() -> None:
    assert decode(b'[{"a": {"a": 1}}, {"a": "\\"a\\": {"}]') == [{"a": {"a": 1}}, {"a": '"a": {'}]


def test_integers_keep_their_digits_and_pairs_of_surrogates_are_characters() -> None:
    assert decode(b'[123456789012345678901234567890, "\\ud83d\\ude00"]') == [123456789012345678901234567890, "😀"]


def test_the_error_names_what_was_read() -> None:
    with pytest.raises(Unreadable, match=r"^GET /users: 200 OK is not strict JSON"):
        decode(b"{", "GET /users: 200 OK")
