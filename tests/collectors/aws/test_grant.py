from __future__ import annotations

import json

from collectors.aws import AwsConfig, aws


def statements(*sources: AwsConfig) -> dict[str, dict[str, list[str]]]:
    done = [f for f in aws.fetches.values() if f.when is None or any(f.when(source) for source in sources)]
    assert aws.grant is not None
    policy = json.loads(aws.grant({p for fetch in done for p in fetch.permissions}, sources))
    assert policy["Version"] == "2012-10-17"
    return {one["Sid"]: one for one in policy["Statement"]}


def test_nobody_reads_objects_without_log_buckets() -> None:
    found = statements(AwsConfig())
    actions = [action for one in found.values() for action in one["Action"]]
    assert "s3:GetObject" not in actions
    assert "kms:Decrypt" not in actions
    assert "iam:GetCredentialReport" in actions


def test_objects_are_read_from_the_named_buckets_only() -> None:
    found = statements(AwsConfig(log_buckets=("trail-logs/prefix", "other")))
    logs = found["AnnexaReadsLogs"]
    assert logs["Action"] == ["s3:GetObject"]
    assert logs["Resource"] == ["arn:aws:s3:::other/*", "arn:aws:s3:::trail-logs/*"]


def test_everything_reads_and_nothing_writes() -> None:
    actions = [a for one in statements(AwsConfig(log_buckets=("b",))).values() for a in one["Action"]]
    reads = ("Get", "List", "Describe", "Generate", "Decrypt")
    assert [action for action in actions if not action.partition(":")[2].startswith(reads)] == []
