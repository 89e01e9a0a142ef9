"""Whatever goes wrong while collecting: nothing above it passes, the run goes on and says what it did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cycle.estate import Estate, above, estate, no_pass
from tests.simulators import okta_states

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, which tables it hits, how the shards that fill them end, and the exit code of the run."""

    name: str
    cause: Callable[[Estate], object]
    tables: tuple[str, ...]
    unseen: dict[str, str]
    code: int
    says: str

    def __str__(self) -> str:
        return self.name


def paged(ltd: Estate, path: str) -> None:
    ltd.github.page_size = 2
    ltd.github.fail(path, page=2, status=500)


def repaired_and_denied(ltd: Estate) -> None:
    """What failed is put right, and nobody can see it."""
    ltd.okta.state = okta_states.repair(ltd.at)
    ltd.okta.deny("/api/v1/users")


def appended(path: Path, line: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")


UNSOURCED = above("training")
TROUBLES = [
    Trouble(
        "a denied call",
        lambda ltd: ltd.github.deny("/orgs/example/members"),
        ("github_member", "github_member_2fa_disabled"),
        {"code/global/members": "denied", "code/global/members_without_2fa": "denied"},
        2,
        "403",
    ),
    Trouble(
        "a denied call that hides a repair",
        repaired_and_denied,
        ("okta_user", "okta_factor", "okta_role"),
        {f"okta/global/{fetch}": "denied" for fetch in ("users", "factors", "roles")},
        2,
        "403",
    ),
    Trouble(
        "a credential with too few rights",
        lambda ltd: ltd.okta.deny("/api/v1/iam/assignees/users"),
        ("okta_role",),
        {"okta/global/roles": "denied"},
        2,
        "403",
    ),
    Trouble(
        "a 500 on page 2",
        lambda ltd: paged(ltd, "/orgs/example/repos"),
        ("github_repository", "github_branch_protection"),
        {"code/global/repositories": "incomplete", "code/global/branch_protection": "incomplete"},
        3,
        "500",
    ),
    Trouble(
        "a listing of nothing where there is something",
        lambda ltd: ltd.github.state.update(hidden=ltd.github.state["repositories"], repositories=[]),
        ("github_repository", "github_branch_protection"),
        {"code/global/repositories": "incomplete", "code/global/branch_protection": "incomplete"},
        3,
        "0 of the 6",
    ),
    Trouble(
        "a body cut short",
        lambda ltd: ltd.knowbe4.truncate("/v1/training/enrollments"),
        ("knowbe4_enrollment",),
        {"awareness/global/enrollments": "failed"},
        2,
        "",
    ),
    Trouble(
        "a missing export",
        lambda ltd: ltd.file("people").unlink(),
        ("person",),
        {"people/global/records": "failed"},
        2,
        "does not exist",
    ),
    Trouble(
        "an empty export",
        lambda ltd: ltd.file("people").write_bytes(b""),
        ("person",),
        {"people/global/records": "failed"},
        2,
        "no header",
    ),
    Trouble(
        "a record with a field too many",
        lambda ltd: appended(ltd.file("people"), "E099,x@example.com,X,Data,,2020-01-01,,Employee,surplus\n"),
        ("person",),
        {"people/global/records": "incomplete"},
        3,
        "people.csv:16",
    ),
    Trouble(
        "a date that is none",
        lambda ltd: appended(ltd.file("training"), "E099,x@example.com,Security awareness,soon,2020-01-01,\n"),
        ("training",),
        {"training/global/records": "incomplete"},
        3,
        "not understood",
    ),
]


@pytest.fixture
def ltd(seen: Estate) -> Iterator[Estate]:
    """The company that was seen whole a moment ago; healed afterwards."""
    yield seen
    seen.heal()
    seen.become("start")


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_nothing_above_it_passes_and_the_run_goes_on(ltd: Estate, trouble: Trouble) -> None:
    before = {key: row.resources for key, row in ltd.nonconformities().items() if row.state == "open"}
    assert len(before) > 10
    trouble.cause(ltd)
    summary = ltd.scan()
    assert {item.shard: item.state for item in summary.unseen} == trouble.unseen
    assert all(item.reason and item.remedy for item in summary.unseen)
    assert trouble.says in summary.unseen[0].reason
    assert summary.shards["complete"] == sum(summary.shards.values()) - len(trouble.unseen) > 15
    assert summary.exit_code == trouble.code
    no_pass(ltd, affected := above(*trouble.tables))
    for check in affected:
        assert ltd.results()[check].status in ("error", "incomplete", "fail"), check
    assert summary.nonconformities["resolved"] == [], "a blind run resolves nothing"
    after = ltd.nonconformities()
    assert {key: after[key].resources for key in before} == before, "nor does it shrink a record"


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Estate]:
    """The company as it is found, with the sources of one story only."""
    with estate(tmp_path / "ltd") as made:
        for name in ("awareness", "training"):
            del made.sources[name]
        yield made


def test_a_header_without_records_is_nothing_to_judge(found: Estate) -> None:
    found.scan()
    open_before = {key for key, record in found.nonconformities().items() if record.state == "open"}
    assert ("leaver-access", "people") in open_before
    for name in ("people", "incidents"):
        header = found.file(name).read_text(encoding="utf-8").splitlines()[0]
        found.file(name).write_text(f"{header}\n", encoding="utf-8")
    summary = found.scan()
    assert summary.unseen == [], "they were collected: there are none"
    results, derived = found.results(), found.effectiveness()
    empty = above("person", "incident") - UNSOURCED
    assert [check for check in empty if results[check].counts.get("pass")] == []
    judged = {control for name, r in results.items() if name not in empty and r.counts for control in r.controls}
    alone = {control for check in empty for control in results[check].controls} - judged
    assert {"A.5.25", "A.5.26"} <= alone
    assert {derived[control] for control in alone} <= {"not demonstrated", "ineffective", "partially effective"}
    assert found.results()["incident-contained-in-time"].status == "na"
    still = {key for key, record in found.nonconformities().items() if record.state == "open"}
    assert {key for key in open_before if key[0] in empty} <= still, "an empty export repairs nothing"
    assert found.results()["account-without-person"].counts.keys() <= {"fail", "na"}
