"""Digests: of packs, and of the engine."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from annexa import packs
from annexa.errors import PackError
from annexa.packs import mount
from annexa.packs.folder import survey

ROOT = Path(__file__).parents[2]

Make = Callable[..., Path]
Refused = Callable[[Callable[[], Any]], PackError]


def test_a_digest_is_what_sha256sum_gives(make: Make) -> None:
    root = make({"checks/b/é.yaml": "1", "checks/a.yaml": "2", "soa/x.yaml": "3", "mappings/_.yaml": "4"})
    files = "find checks mappings soa -type f | LC_ALL=C sort | xargs sha256sum"
    listing = subprocess.run(["sh", "-c", files], cwd=root, capture_output=True, check=True).stdout
    assert survey(root).digest == hashlib.sha256(listing).hexdigest()


def test_a_digest_changes_with_every_byte_name_and_place_and_with_nothing_else(make: Make, tmp_path: Path) -> None:
    root = make({"checks/a.yaml": "1", "checks/b.yaml": "2", "collectors/c.py": "x = 1\n"})
    seen = [survey(root).digest]

    def changed() -> bool:
        seen.append(survey(root).digest)
        return seen[-1] not in seen[:-1]

    make({"readme.md": "x", "secrets/x": "y", "checks/.cache": "z", "collectors/__pycache__/c.pyc": "0"})
    os.utime(root / "checks/a.yaml", (0, 0))
    assert not changed()
    (root / "checks/a.yaml").write_text("3", encoding="utf-8")
    assert changed()
    (root / "checks/a.yaml").rename(root / "checks/z.yaml")
    assert changed()
    make({"checks/deep/z.yaml": "3"})
    assert changed()
    make({"soa/empty": ""})
    assert changed()
    root.rename(tmp_path / "moved")
    assert survey(tmp_path / "moved").digest == seen[-1], "the same content in another place is the same pack"


def test_one_digest_stands_for_all_packs_and_their_order(make: Make) -> None:
    one, two = make({"soa/a.yaml": "1"}, "one"), make({"soa/b.yaml": "2"}, "two")
    digests = {mount(order).digest for order in ([], [one], [two], [one, two], [two, one])}
    assert len(digests) == 5
    assert mount([one]).digests["annexa"] == mount().packs[0].digest


def test_the_engine_has_a_digest() -> None:
    assert packs.code_digest() == packs.code_digest()
    assert len(packs.code_digest()) == 64
    assert packs.code_digest() != mount().digest
