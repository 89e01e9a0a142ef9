"""Every command that reads, on a scanned company: for people and for machines."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import pytest

from tests.cli.conftest import FORMULA, HOSTILE, Annexa
from tests.cycle.estate import Estate

READS: dict[str, tuple[str, ...]] = {
    "status": ("run 20", "19 complete", " open, 0 overdue"),
    "results": ("leaver-access", "fail"),
    "soa list": ("A.5.1 ", "A.8.34", "not adopted", "partially effective"),
    "soa show A.5.17": ("people-mfa", "okta_user", "evidence age", "ledger entry"),
    "controls list": ("A.5.1 ", "A.8.34", "organizational"),
    "controls show A.8.5": ("A.8.5 Secure authentication", "people-mfa"),
    "kpi list": ("training-completion", "percent"),
    "kpi show training-completion": ("select", "numerator"),
    "nc list": ("NC-0001", "open", "Leavers hold no active account"),
    "nc show NC-0001": ("NC-0001", "owner", "raised", "resource"),
    "evidence list": ("okta_user", "complete", "people"),
    "evidence show 0": ("run_start", "leaf hash", "example.com/isms"),
    "checks list": ("leaver-access", "github_branch_protection"),
    "checks show leaver-access": ("A.5.18", "population:", "query:", "select"),
    "collectors list": ("aws", "files", "github", "knowbe4", "okta"),
    "collectors show okta": ("token", "okta_user", "required"),
    "permissions okta": ("okta.users.read",),
    "permissions github": ("Members (read)",),
    "permissions knowbe4": ("Reporting API",),
    "permissions files": (),
}
NO_JSON = {"results", "checks show leaver-access"}


@pytest.mark.parametrize("command", READS)
def test_it_shows_what_was_recorded(annexa: Annexa, command: str) -> None:
    said = annexa(*command.split())
    assert (said.code, said.err) == (0, "")
    for word in READS[command]:
        assert word in said.out


@pytest.mark.parametrize("command", [name for name in READS if name not in NO_JSON])
def test_it_says_the_same_to_a_machine(annexa: Annexa, command: str) -> None:
    said = annexa(*command.split(), "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json


def test_the_statement_has_93_controls(annexa: Annexa) -> None:
    rows: Any = annexa("soa", "list", "--json").json
    assert len({row["control"] for row in rows}) == 93
    some: Any = annexa("soa", "list", "--theme", "people", "--json").json
    assert {row["control"] for row in some} == {f"A.6.{number}" for number in range(1, 9)}
    bad: Any = annexa("soa", "list", "--effectiveness", "ineffective", "--json").json
    assert {row["effectiveness"] for row in bad} == {"ineffective"}


def test_a_control_names_its_checks_counts_evidence_and_age(annexa: Annexa, company: Estate) -> None:
    row: Any = annexa("soa", "show", "A.5.17", "--json").json
    shown = {check["check"]: check["counts"] for check in row["checks"]}
    assert shown == {name: r.counts for name, r in company.results().items() if "A.5.17" in r.controls}
    assert all(check["oldest"] and check["cites"] for check in row["checks"])


@pytest.mark.parametrize("collector", ["okta", "github", "knowbe4", "files", "aws"])
def test_permissions_are_told_for_every_collector(annexa: Annexa, collector: str) -> None:
    said: Any = annexa("permissions", collector, "--json").json
    assert said["collector"] == collector
    assert said["permissions"] == sorted({p for needed in said["by_fetch"].values() for p in needed})


def test_permissions_for_aws_are_a_policy_that_reads_only(annexa: Annexa) -> None:
    policy = json.loads(annexa("permissions", "aws").out)
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert policy["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
    verbs = {action.partition(":")[2] for action in actions}
    assert verbs
    assert [verb for verb in verbs if not verb.startswith(("Get", "List", "Describe", "Generate", "Lookup"))] == []


def test_results_are_one_object_a_line_with_the_fields_of_a_verdict(annexa: Annexa, company: Estate) -> None:
    lines = [json.loads(line) for line in annexa("results", "--format", "jsonl").out.splitlines()]
    fields = ["check", "resource", "status", "reason", "source", "scope", "controls", "also_known_as", "evidence"]
    assert {tuple(line) for line in lines} == {tuple(fields)}
    assert len(lines) == sum(sum(result.counts.values()) for result in company.results().values())
    line = next(line for line in lines if line["check"] == "leaver-access" and line["status"] == "fail")
    assert line["controls"] == ["A.5.18", "A.5.11", "A.6.5"]
    assert {piece["table"] for piece in line["evidence"]} >= {"person", "okta_user"}
    for piece in line["evidence"]:
        company.blobs.verify(piece["blob"])


def test_results_can_be_chosen(annexa: Annexa) -> None:
    failing = annexa("results", "--format", "jsonl", "--status", "fail", "--control", "A.6.3").out.splitlines()
    found = [json.loads(line) for line in failing]
    assert {line["check"] for line in found} >= {"privileged-without-training", "training-overdue"}
    assert all("A.6.3" in line["controls"] and line["status"] == "fail" for line in found)
    one = annexa("results", "--format", "jsonl", "--check", "few-administrators").out.splitlines()
    assert {json.loads(line)["check"] for line in one} == {"few-administrators"}


def test_no_cell_of_the_csv_is_a_formula(annexa: Annexa) -> None:
    rows = list(csv.DictReader(io.StringIO(annexa("results", "--format", "csv").out)))
    assert f"'{FORMULA}" in {row["resource"] for row in rows}
    assert [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []


@pytest.mark.parametrize("command", ["results", "nc list", "nc show {nc}", "results --format csv"])
def test_evidence_cannot_speak_to_the_terminal(annexa: Annexa, company: Estate, command: str) -> None:
    record = company.nonconformities()["github-member-two-factor", "code"].id
    said = annexa(*command.format(nc=record).split())
    assert said.code == 0
    if command != "nc list":
        assert "eve" in said.out
    assert [char for char in HOSTILE if not char.isprintable() and char in said.out] == []


def test_a_blob_comes_out_as_it_went_in(annexa: Annexa, company: Estate) -> None:
    items: Any = annexa("evidence", "list", "--source", "people", "--json").json
    digest = items[0]["blob"]
    assert hashlib.sha256(annexa("evidence", "cat", digest).out.encode()).hexdigest() == digest
    assert len(annexa("evidence", "cat", digest).out.splitlines()) == 14


def test_evidence_can_be_chosen(annexa: Annexa, company: Estate) -> None:
    rows: Any = annexa("evidence", "list", "--table", "okta_user", "--json").json
    assert [(row["source"], row["rows"]) for row in rows] == [("okta", 15)]
    run = rows[0]["run"]
    every: Any = annexa("evidence", "list", "--run", run, "--json").json
    assert len(every) == len(company.segments(run))


def test_the_report_is_one_page(annexa: Annexa, company: Estate) -> None:
    said = annexa("report", "-o", "page.html")
    assert (said.code, said.out) == (0, "page.html\n")
    page = (company.folder / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "NC-0001" in page
    assert "\x1b" not in page
