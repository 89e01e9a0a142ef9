"""A pack's Python: imported one by one, named with file and line when it is broken."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annexa.config import load
from annexa.errors import ConfigError, PackError
from annexa.packs import mount
from annexa.sdk import Collector

ROOT = Path(__file__).parents[2]

Make = Callable[..., Path]
Refused = Callable[[Callable[[], Any]], PackError]


def test_only_the_collector_that_is_asked_for_is_imported(
    make: Make, collector: Callable[..., str], refused: Refused
) -> None:
    root = make(
        {
            "collectors/quiet.py": collector("quiet"),
            "collectors/loud.py": "raise RuntimeError('imported')\n",
            "collectors/inner/__init__.py": "from .part import inner\n",
            "collectors/inner/part.py": collector("inner"),
        }
    )
    mounted = mount([root])
    assert {"quiet", "loud", "inner"} <= set(mounted.collectors())
    assert mounted.collector("quiet") is mounted.collector("quiet")
    assert isinstance(mounted.collector("inner"), Collector)
    assert "imported" in str(refused(lambda: mounted.collector("loud")))


def test_mounting_imports_no_vendor_library() -> None:
    probe = """
        import sys
        from annexa import packs
        mounted = packs.mount()
        mounted.collectors(), mounted.digest, packs.code_digest()
        print(sorted({"boto3", "requests", "duckdb", "sqlalchemy", "jsonschema", "yaml"} & set(sys.modules)))
        mounted.collector("okta")
        print(sorted({"boto3", "botocore", "openpyxl", "duckdb", "sqlalchemy"} & set(sys.modules)))
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(probe)], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "[]"]


BROKEN = {
    "syntax": ("x = (\n", 1, "SyntaxError"),
    "name": ("import os\n\nx = nowhere\n", 3, "NameError: name 'nowhere' is not defined"),
    "import": ("\nimport no_such_library\n", 2, "ModuleNotFoundError: No module named 'no_such_library'"),
    "from import": ("from annexa.sdk import Colector\n", 1, "ImportError: cannot import name 'Colector'"),
    "exit": ("def stop():\n    raise SystemExit(0)\n\nstop()\n", 2, "SystemExit: 0"),
    "inside a library": ("import json\n\njson.loads('{')\n", 3, "JSONDecodeError"),
    "declaration": (
        "from annexa.sdk import Collector\nbad = Collector('bad', config=int, connect=int, docs='')\n"
        "@bad.table('t', columns={'id': str}, key='uid')\ndef rows(api):\n    'A row.'\n",
        3,
        "PackError: table t: key ['uid'] is not among the columns",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "line", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_module_is_named_with_its_line(
    make: Make, code: str, line: int, message: str, refused: Refused
) -> None:
    root = make({"collectors/bad.py": code})
    refusal = refused(lambda: mount([root]).collector("bad"))
    assert (refusal.path, refusal.line) == (str(root / "collectors/bad.py"), line)
    assert message in str(refusal)


def test_a_missing_library_is_named_in_the_remedy(make: Make, refused: Refused) -> None:
    root = make({"collectors/bad.py": "import no_such_library.part\n"})
    assert "no_such_library" in refused(lambda: mount([root]).collector("bad")).remedy


def test_a_module_must_hold_the_collector_of_its_name(
    make: Make, collector: Callable[..., str], refused: Refused
) -> None:
    root = make({"collectors/one.py": collector("two"), "collectors/none.py": "x = 1\n"})
    mounted = mount([root])
    assert "holds no collector named one (found: two)" in str(refused(lambda: mounted.collector("one")))
    assert "holds no collector named none (found: none)" in str(refused(lambda: mounted.collector("none")))


def test_an_unknown_collector_is_named_with_the_nearest_and_its_line(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("company: x\nsources:\n  a:\n    collector: okat\n", encoding="utf-8")
    mounted = mount()
    with pytest.raises(ConfigError, match="no pack has a collector named okat; did you mean okta") as refusal:
        mounted.configured(load(path).sources["a"])
    assert (refusal.value.line, refusal.value.field) == (4, "sources.a.collector")
    assert "did you mean okta?" in str(refused(lambda: mounted.collector("okat")))


def test_a_source_gets_its_collector_and_settings(make: Make, tmp_path: Path, collector: Callable[..., str]) -> None:
    root = make({"collectors/delta.py": collector("delta")})
    path = tmp_path / "config.yaml"
    path.write_text("company: x\nsources:\n  a: {collector: delta, url: https://x}\n", encoding="utf-8")
    found, settings = mount([root]).configured(load(path).sources["a"])
    assert (found.name, settings.url) == ("delta", "https://x")


def test_code_that_changed_after_it_was_digested_is_refused(
    make: Make, collector: Callable[..., str], refused: Refused
) -> None:
    root = make({"collectors/late.py": collector("late")})
    mounted = mount([root])
    make({"collectors/late.py": collector("late", "changed")})
    assert "was changed while annexa was running" in str(refused(lambda: mounted.collector("late")))
