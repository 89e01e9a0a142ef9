"""What is shipped works without the checkout: the wheel and the sdist carry the engine and the built-in pack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACK = ("collectors", "checks", "mappings", "soa")

pytestmark = pytest.mark.slow

PROBE = """
import json, annexa
from annexa import packs
from annexa.schemas import schema

mounted = packs.mount()
print(json.dumps({
    "engine": annexa.__file__,
    "root": str(mounted.packs[0].root),
    "pack": mounted.packs[0].digest,
    "code": packs.code_digest(),
    "controls": len(mounted.catalogue()["controls"]),
    "collectors": {name: mounted.collector(name).name for name in mounted.collectors()},
    "checks": len(mounted.checks()),
    "kpis": len(mounted.kpis()),
    "statement": mounted.statement().path,
}))
"""


@dataclass(frozen=True)
class Built:
    """The two distributions, and the wheel installed in a folder of its own."""

    wheel: Path
    sdist: Path
    site: Path
    source: Path


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheel is built from the sdist, so the sdist is enough to build from."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    site = folder / "site"
    quiet = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *quiet, "--target", site, wheel, cwd=folder)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    return Built(wheel, sdist, site, source)


@pytest.fixture(scope="module")
def wheel(built: Built) -> set[str]:
    with zipfile.ZipFile(built.wheel) as archive:
        return set(archive.namelist())


def content(root: Path, folders: Iterable[str]) -> set[str]:
    """The files that belong in a distribution."""
    found = (path.relative_to(root) for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return {
        path.as_posix()
        for path in found
        if "__pycache__" not in path.parts and not any(p[0] == "." for p in path.parts)
    }


def test_the_wheel_has_one_top_level_name(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"annexa"}
    assert len(tops) == 2


def test_the_wheel_carries_the_pack_inside_the_engine(built: Built, wheel: set[str]) -> None:
    expected = {f"annexa/pack/{file}" for file in content(built.source, PACK)}
    assert {name for name in wheel if name.startswith("annexa/pack/")} == expected
    assert {name.split("/")[2] for name in expected} >= {"collectors", "mappings", "soa"}
    assert "annexa/pack/collectors/okta/__init__.py" in wheel or "annexa/pack/collectors/okta.py" in wheel


def test_the_wheel_carries_what_is_not_python(wheel: set[str]) -> None:
    expected = {
        "annexa/py.typed",
        "annexa/schemas/config.schema.json",
        "annexa/schemas/catalogue.schema.json",
        "annexa/schemas/kpi.schema.json",
        "annexa/assess/check.schema.json",
        "annexa/assess/entity.schema.json",
    }
    assert expected <= wheel
    assert [name for name in wheel if name.startswith("annexa/database/migrations/versions/") and name.endswith(".py")]
    assert [name for name in wheel if "__pycache__" in name or name.endswith(".pyc")] == []
    assert [name for name in wheel if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_sdist_is_the_checkout_without_what_others_need_not_have(built: Built) -> None:
    assert {path.name for path in built.source.iterdir()} >= {"annexa", *PACK, "tests", "LICENSE", "pyproject.toml"} - {
        folder for folder in PACK if not content(ROOT, [folder])
    }
    for folder in ("annexa", *PACK):
        missing = content(ROOT, [folder]) - content(built.source, [folder])
        assert {file for file in missing if (ROOT / file).stat().st_mtime < built.sdist.stat().st_mtime} == set()
    assert not (built.source / ".venv").exists()
    assert (built.source / "config.example.yaml").is_file()


def test_the_installed_wheel_mounts_its_own_pack_from_another_folder(built: Built, tmp_path: Path) -> None:
    found = json.loads(run(sys.executable, "-c", PROBE, cwd=tmp_path, PYTHONPATH=str(built.site)))
    assert Path(found["engine"]).parent == built.site / "annexa"
    assert Path(found["root"]) == built.site / "annexa/pack"
    assert found["controls"] == 93
    assert {"aws", "files", "github", "knowbe4", "okta"} <= set(found["collectors"])
    assert found["kpis"] >= 6
    assert found["statement"] == str(built.site / "annexa/pack/soa/statement.yaml")
    again = json.loads(run(sys.executable, "-c", PROBE, cwd=tmp_path, PYTHONPATH=str(built.source)))
    assert Path(again["root"]) == built.source, "a checkout reads the pack beside the engine"
    same = ("pack", "code", "controls", "collectors", "checks", "kpis")
    assert [found[name] for name in same] == [again[name] for name in same], (
        "the digests do not tell wheel from checkout"
    )


def test_the_installed_command_says_what_it_can_do(built: Built, tmp_path: Path) -> None:
    shown = run(sys.executable, "-m", "annexa", "--help", cwd=tmp_path, PYTHONPATH=str(built.site))
    assert "scan" in shown
