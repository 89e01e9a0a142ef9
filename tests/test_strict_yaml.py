"""Strict YAML: it reads what JSON means, refuses what can surprise, and knows the line of everything."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from annexa.errors import ConfigError, DocumentError
from annexa.strict_yaml import load, loads

ROOT = Path(__file__).parents[1]

PRINTABLE = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x1FAFF, categories=("L", "N", "P", "S", "Zs")), max_size=30
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=12,
)

PLAIN = {
    "null": None, "~": None, "": None, "Null": "Null", "NULL": "NULL",
    "true": True, "false": False, "True": "True", "TRUE": "TRUE",
    "yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y", "NO": "NO",
    "0": 0, "-7": -7, "42": 42, "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63),
    "010": "010", "0o10": "0o10", "0x1F": "0x1F", "0b11": "0b11", "1_000": "1_000", "+1": "+1", "00": "00",
    "1.5": 1.5, "1e3": 1000.0, "-1.5E-2": -0.015, ".5": ".5", "1.": "1.", ".inf": ".inf", ".nan": ".nan", "NaN": "NaN",
    "1:30": "1:30", "22:22:22": "22:22:22", "2026-09-10": "2026-09-10", "2026-09-10T00:00:00Z": "2026-09-10T00:00:00Z",
    "=": "=", "1.2.3": "1.2.3", "a b": "a b",
}  # fmt: skip

REFUSED = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 3, "the key a is given twice, first in line 1"),
    "duplicate key, quoted": ("x:\n  a: 1\n  'a': 2\n", 3, "the key a is given twice, first in line 2"),
    "anchor": ("a: 1\nb: &x 1\n", 2, "the anchor &x"),
    "anchor on a list": ("a: &x [1]\n", 1, "the anchor &x"),
    "alias": ("a: *x\n", 1, "the alias *x"),
    "merge key": ("a:\n  <<: {b: 1}\n", 2, "the merge key <<"),
    "python tag": ("a: !!python/object/apply:os.system [id]\n", 1, "python/object/apply:os.system; tags are"),
    "own tag": ("a: !include secrets.yaml\n", 1, "the tag !include"),
    "core tag": ("a: !!str 1\n", 1, "the tag tag:yaml.org,2002:str"),
    "second document": ("a: 1\n---\nb: 2\n", 2, "a second document"),
    "number as key": ("a: 1\n5: x\n", 2, "the key 5: a key must be text"),
    "boolean as key": ("true: x\n", 1, "the key true: a key must be text"),
    "nothing as key": ("a: 1\n~: x\n", 2, "the key ~: a key must be text"),
    "list as key": ("? [a]\n: x\n", 1, "a key must be text"),
    "tab": ("a:\n\tb: 1\n", 2, "indent with spaces"),
    "tab after spaces": ("a:\n  b: 1\n  \tc: 1\n", 3, "is not YAML"),
    "unclosed": ("a: [1, 2\nb: 3\n", 2, "is not YAML"),
    "large integer": ("a: 9223372036854775808\n", 1, "does not fit in 64 bits"),
    "thousands of digits": (f"a: {'9' * 5000}\n", 1, "does not fit in 64 bits"),
    "large float": ("a: 1e999\n", 1, "1e999 is too large a number"),
    "control character": ("a: 1\nb: 'x\x07'\n", 2, "the invisible character U+0007"),
    "bidirectional override": ("a: 1\nb: 'x\u202ey'\n", 2, "the invisible character U+202E"),
    "byte order mark inside": ("a: 1\nb: '\ufeff'\n", 2, "the invisible character U+FEFF"),
    "half a surrogate pair": ("a: '\ud800'\n", 1, "is not UTF-8"),
}  # fmt: skip


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader")
    return str(request.param)


@given(JSON)
def test_json_reads_as_what_it_is(value: Any) -> None:
    read = loads(json.dumps(value, ensure_ascii=False)).data
    assert read == value
    assert json.dumps(read) == json.dumps(value), "1 and 1.0 and true are different things"


@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_a_plain_scalar_is_what_the_json_schema_says(parser: str, text: str, value: Any) -> None:
    read = loads(f"a: {text}\n").data["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", [text for text in PLAIN if text])
def test_quotes_make_anything_text(text: str) -> None:
    assert loads(f"a: '{text}'\nb: \"{text}\"\n").data == {"a": text, "b": text}


@pytest.mark.parametrize(("text", "line", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_surprises_are_refused_with_their_line(parser: str, text: str, line: int, message: str) -> None:
    with pytest.raises(DocumentError) as refusal:
        loads(text, "pack/x.yaml")
    assert refusal.value.line == line
    assert str(refusal.value).startswith(f"pack/x.yaml:{line}: ")
    assert message in str(refusal.value)


def test_a_key_cannot_hide_behind_a_line_end_that_editors_do_not_show(parser: str) -> None:
    """YAML 1.1 parsers take U+2028 for a line end: what an editor shows as a comment would be a key."""
    hidden = "fail_on: low # comment\u2028fail_on_never: x\n"
    assert "fail_on_never" in yaml.safe_load(hidden), "the trap exists"
    with pytest.raises(DocumentError, match=r"U\+2028"):
        loads(hidden)


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    with pytest.raises(DocumentError, match="anchor &a0"):
        loads(bomb)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_bounded(parser: str, opening: str) -> None:
    started = time.monotonic()
    with pytest.raises(DocumentError, match=r"50 levels deep|must be text"):
        loads(opening * 100_000)
    assert time.monotonic() - started < 2


def test_fifty_levels_are_enough_and_allowed() -> None:
    assert loads("[" * 50 + "]" * 50).lines[(0,) * 49] == 1
    with pytest.raises(DocumentError, match="50 levels"):
        loads("[" * 51 + "]" * 51)


def test_size_is_bounded(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"# " + b"x" * 5_000_000)
    with pytest.raises(DocumentError, match="larger than 5,000,000 bytes"):
        load(large)


def test_bytes_that_are_not_utf_8_are_named_with_their_line(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: 1\nb: café\n".encode("latin-1"))
    with pytest.raises(DocumentError, match="not UTF-8") as refusal:
        load(latin)
    assert refusal.value.line == 2
    for encoding in ("utf-16", "utf-32"):
        with pytest.raises(DocumentError):
            loads("a: 1\n".encode(encoding))


def test_a_byte_order_mark_at_the_start_is_no_content() -> None:
    assert loads(b"\xef\xbb\xbfa: 1\n").data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("# only a comment\n", None), ("---\n", None), ("--- 1\n...\n", 1)]
)
def test_an_empty_document_is_nothing(parser: str, text: str, value: Any) -> None:
    assert loads(text).data == value


def test_a_tab_inside_text_is_text(parser: str) -> None:
    assert loads("query: |\n  select\n  \tx\n").data == {"query": "select\n\tx\n"}


LINED = """\
# comment
id: leaver
params:
  hours: 24

  'other key':
    - a
    -
      - b
      - c: 1
        d: |
          text
          more
    - [x,
       y]
last: end
"""


def test_every_value_knows_its_line(parser: str) -> None:
    document = loads(LINED)
    expected = {
        (): 2, ("id",): 2, ("params",): 3, ("params", "hours"): 4, ("params", "other key"): 6,
        ("params", "other key", 0): 7, ("params", "other key", 1): 9, ("params", "other key", 1, 0): 9,
        ("params", "other key", 1, 1): 10, ("params", "other key", 1, 1, "c"): 10,
        ("params", "other key", 1, 1, "d"): 11,
        ("params", "other key", 2): 14, ("params", "other key", 2, 0): 14, ("params", "other key", 2, 1): 15,
        ("last",): 16,
    }  # fmt: skip
    assert {pointer: document.line_of(pointer) for pointer in expected} == expected
    assert set(document.lines) == set(expected)
    assert document.line_of(("params", "missing", "deeper")) == 3
    assert document.line_of(("nowhere",)) == 2
    assert loads("").line_of(("a",)) == 1


def test_errors_are_of_the_family_that_is_asked_for(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read") as refusal:
            load(path, error=ConfigError)
        assert refusal.value.path == str(path)


def test_what_stands_in_a_document_is_not_in_its_repr() -> None:
    assert "hunter2" not in repr(loads("token: hunter2\n"))


def test_our_own_yaml_reads_as_pyyaml_reads_it_and_fast() -> None:
    """150 files of the size of a check take well under a second (measured: 0.1 s)."""
    for path in [*ROOT.glob("soa/**/*.yaml"), ROOT / "mappings/annex_a_2022.yaml"]:
        assert load(path).data == yaml.safe_load(path.read_text(encoding="utf-8")), path
    text = (ROOT / "soa/kpis/mfa-coverage.yaml").read_text(encoding="utf-8")
    started = time.monotonic()
    for _ in range(150):
        loads(text)
    assert time.monotonic() - started < 2
