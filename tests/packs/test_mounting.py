"""Mounting: what comes in, in which order, what takes the place of what, what may not be in a pack."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annexa.errors import PackError
from annexa.packs import mount
from annexa.packs.folder import survey
from annexa.packs.places import built_in

ROOT = Path(__file__).parents[2]

Make = Callable[..., Path]
Refused = Callable[[Callable[[], Any]], PackError]


def test_the_built_in_pack_is_always_there() -> None:
    mounted = mount()
    assert [pack.name for pack in mounted.packs] == ["annexa"]
    assert mounted.packs[0].root == built_in() == ROOT
    assert {"files", "okta"} <= set(mounted.collectors())
    assert len(mounted.catalogue()["controls"]) == 93
    assert mounted.statement().data["statement"]["defaults"]["implementation"] == "not_implemented"
    assert mounted.is_example()
    assert mounted.policy().data["due_days"]["critical"] == 7
    assert "mfa-coverage" in mounted.kpis()
    assert mounted.overrides == ()


def test_the_place_of_the_built_in_pack_is_told_by_its_marker(make: Make, refused: Refused) -> None:
    marked = {"pack/mappings/annex_a_2022.yaml": "", "other/x": ""}
    engine = make(marked, "engine")
    assert built_in(engine) == engine / "pack", "a wheel"
    checkout = make({"mappings/annex_a_2022.yaml": "", "annexa/x.py": ""}, "checkout")
    assert built_in(checkout / "annexa") == checkout
    broken = make({"annexa/x.py": "", "checks/x.yaml": ""}, "site-packages")
    assert "the built-in pack is missing" in str(refused(lambda: built_in(broken / "annexa")))


def test_a_later_pack_has_the_last_word_and_it_is_on_record(
    make: Make, collector: Callable[..., str], kpi: Callable[..., str]
) -> None:
    first = make(
        {
            "collectors/okta.py": collector("okta", "first"),
            "soa/kpis/mfa-coverage.yaml": kpi(id="mfa-coverage", title="First"),
            "soa/kpis/own.yaml": kpi(id="own", title="Own"),
        },
        "first",
    )
    second = make({"soa/kpis/own.yaml": kpi(id="own", title="Second")}, "second")
    mounted = mount([first, second])
    assert mounted.collector("okta").docs == "first"
    assert mounted.kpis()["mfa-coverage"].data["title"] == "First"
    assert mounted.kpis()["own"].data["title"] == "Second"
    assert mount([second, first]).kpis()["own"].data["title"] == "Own", "the order decides"
    assert mount().kpis()["mfa-coverage"].data["title"] != "First"
    one, two = (pack.name for pack in mounted.packs[1:])
    assert [(o.kind, o.id, o.pack, o.instead_of) for o in mounted.overrides] == [
        ("collector", "okta", one, "annexa"),
        ("kpi", "mfa-coverage", one, "annexa"),
        ("kpi", "own", two, one),
    ]


def test_packs_with_the_same_folder_name_do_not_meet(make: Make, collector: Callable[..., str]) -> None:
    one = make({"collectors/alpha.py": collector("alpha", "one"), "collectors/_shared.py": "X = 1\n"}, "a/pack")
    two = make({"collectors/beta.py": collector("beta", "two"), "collectors/_shared.py": "X = 2\n"}, "b/pack")
    for root, name in ((one, "alpha"), (two, "beta")):
        with (root / f"collectors/{name}.py").open("a") as file:
            file.write(f"from ._shared import X\n{name}.docs = str(X)\n")
    mounted = mount([one, two])
    assert (mounted.collector("alpha").docs, mounted.collector("beta").docs) == ("1", "2")
    assert len({pack.name for pack in mounted.packs}) == 3
    assert "_shared" not in mounted.collectors()


def test_a_folder_that_is_given_twice_is_mounted_once(
    make: Make, monkeypatch: pytest.MonkeyPatch, kpi: Callable[..., str]
) -> None:
    root = make({"soa/kpis/own.yaml": kpi(id="own", title="Own")})
    (root.parent / "link").symlink_to(root)
    monkeypatch.chdir(root)
    assert len(mount([root, Path(), root.parent / "link"]).packs) == 2
    assert [pack.name for pack in mount([ROOT]).packs] == ["annexa"], "the built-in pack's own folder"


@pytest.mark.parametrize("name", ["absent", "file", "empty"])
def test_what_is_no_pack_is_refused(make: Make, name: str, tmp_path: Path, refused: Refused) -> None:
    make({"file": "x", "empty/readme.md": "x"}, ".")
    refusal = refused(lambda: mount([tmp_path / name]))
    assert refusal.path == str(tmp_path / name)
    assert refusal.remedy


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Installs a distribution that offers a pack."""
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(str(folder))

    def install(name: str, value: str, files: dict[str, str]) -> Path:
        info = folder / f"{value.partition('.')[0]}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {value}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[annexa.packs]\n{name} = {value}\n", encoding="utf-8")
        for file, content in files.items():
            path = folder / value.replace(".", "/") / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return folder / value.replace(".", "/")

    return install


def test_an_installed_pack_is_mounted_where_it_is_named_and_nowhere_else(site: Make, kpi: Callable[..., str]) -> None:
    files = {"__init__.py": "raise SystemExit", "soa/kpis/own.yaml": kpi(id="own", title="Installed")}
    root = site("example-pack", "example_pack_one", files)
    assert "own" not in mount().kpis()
    mounted = mount(["example-pack"])
    assert mounted.kpis()["own"].data["title"] == "Installed"
    assert (mounted.packs[1].name, mounted.packs[1].root) == ("example-pack", root)
    assert "example_pack_one" not in sys.modules, "nothing is imported to find it"


def test_an_installed_pack_may_be_inside_a_package(site: Make, collector: Callable[..., str]) -> None:
    site("inner", "example_pack_two.content", {"collectors/gamma.py": collector("gamma")})
    assert mount(["inner"]).collector("gamma").name == "gamma"


def test_a_name_that_is_not_installed_is_refused_with_a_hint(
    site: Make, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: Refused
) -> None:
    site("example-pack", "example_pack_three", {"checks/x.md": ""})
    make({"checks/x.md": ""}, "here")
    monkeypatch.chdir(tmp_path)
    assert "did you mean example-pack?" in str(refused(lambda: mount(["exmple-pack"])))
    assert "write ./here for the folder" in str(refused(lambda: mount(["here"])))
    site("broken", "example_pack_absent", {})
    assert "which is not a package in one folder" in str(refused(lambda: mount(["broken"])))


def test_two_distributions_with_one_name_are_refused(site: Make, refused: Refused) -> None:
    site("twice", "example_pack_four", {"checks/x.md": ""})
    site("twice", "example_pack_five", {"checks/x.md": ""})
    assert "example_pack_five and example_pack_four are both installed" in str(refused(lambda: mount(["twice"])))


def test_a_link_out_of_the_pack_is_refused(make: Make, tmp_path: Path, refused: Refused) -> None:
    root = make({"checks/one.yaml": "", "soa/x.yaml": ""})
    (root / "checks/inside.yaml").symlink_to("one.yaml")
    assert "checks/inside.yaml" in survey(root).files
    (tmp_path / "outside").write_text("secret", encoding="utf-8")
    (root / "checks/outside.yaml").symlink_to(tmp_path / "outside")
    refusal = refused(lambda: mount([root]))
    assert "leads out of the pack" in str(refusal)
    assert refusal.path == str(root / "checks/outside.yaml")


def test_a_link_to_a_folder_is_refused_and_not_overlooked(make: Make, refused: Refused) -> None:
    root = make({"checks/one.yaml": "", "soa/x.yaml": ""})
    (root / "checks/loop").symlink_to(root / "checks")
    assert "link to a folder" in str(refused(lambda: mount([root])))
    (root / "checks/loop").unlink()
    (root / "mappings").symlink_to(root / "soa")
    assert "a pack's folders are real ones" in str(refused(lambda: mount([root])))


def test_what_is_no_regular_file_is_refused(make: Make, refused: Refused) -> None:
    root = make({"checks/one.yaml": ""})
    os.mkfifo(root / "checks/pipe.yaml")
    assert "not a regular file" in str(refused(lambda: mount([root])))
    (root / "checks/pipe.yaml").unlink()
    (root / "checks/dangling.yaml").symlink_to("nowhere")
    assert "cannot be read" in str(refused(lambda: mount([root])))
