"""The sample account in a process of its own: what drifts, and what a repair puts right, as the collector sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.collectors.aws.scanning import Scan
from tests.simulators import aws_estate
from tests.simulators.aws import AwsProcess


@pytest.fixture(scope="module")
def account(scan):
    with AwsProcess() as own:
        aws_estate.seed(own.url, scan.now)
        yield Scan(replace(scan.config, endpoint_url=own.url), scan.now, scan.scopes)


def _seen(account):
    users = account.run("credential_report").by("user")
    rules = account.run("security_group_rules").rows()
    buckets = account.run("buckets").by("name")
    world = ("0.0.0.0/0", "::/0")
    return {
        "no MFA": {name for name, row in users.items() if row["password_enabled"] and not row["mfa_active"]},
        "leaver's key": users["edsger.dijkstra@example.com"]["access_key_1_active"],
        "open": {
            rule["from_port"]
            for rule in rules
            if rule["direction"] == "ingress" and (rule["cidr_ipv4"] in world or rule["cidr_ipv6"] in world)
        },
        "public": {name for name, row in buckets.items() if row["policy_is_public"] or row["acl_public"]},
        "logging": {row["name"]: row["is_logging"] for row in account.run("trails").rows()},
        "password length": account.run("password_policy").rows()[0]["minimum_length"],
        "not rotated": {row["description"] for row in account.run("keys").rows() if row["rotation_enabled"] is False},
        "IMDSv1": {row["tags"]["Name"] for row in account.run("instances").rows() if row["http_tokens"] == "optional"},
        "stopped": [row for row in account.run("events").rows() if row["event_name"] == "StopLogging"] != [],
    }


@pytest.mark.slow
def test_drift_then_repair_then_drift_again(account):
    start = _seen(account)
    assert start["open"] == {443, 22}
    assert start["public"] == {"example-downloads", "example-photos"}
    assert start["no MFA"] == {"alan.turing@example.com"}
    assert (start["leaver's key"], start["logging"], start["stopped"]) == (True, {"company": True}, False)

    for _ in range(2):
        aws_estate.drift(account.config.endpoint_url, account.now)
    drifted = _seen(account)
    assert drifted == {
        **start,
        "open": {443, 22, 3389},
        "public": start["public"] | {"example-invoices"},
        "no MFA": start["no MFA"] | {"frances.allen@example.com"},
        "logging": {"company": False},
        "stopped": True,
    }

    for _ in range(2):
        aws_estate.repair(account.config.endpoint_url, account.now)
    repaired = _seen(account)
    assert repaired == {
        "no MFA": set(),
        "leaver's key": False,
        "open": {443},
        "public": set(),
        "logging": {"company": True},
        "password length": 14,
        "not rotated": set(),
        "IMDSv1": set(),
        "stopped": True,
    }

    aws_estate.drift(account.config.endpoint_url, account.now)
    again = _seen(account)
    assert (again["open"], again["public"], again["logging"]) == ({443, 3389}, {"example-invoices"}, {"company": False})
