"""AWS among the sources: moto's account as it is found, and one call of it denied."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cycle.estate import Estate, above, no_pass
from tests.simulators import aws_estate
from tests.simulators.aws import ACCOUNT, AwsProcess

AWS = (
    'collector: aws, regions: [eu-west-1], endpoint_url: "{url}", access_key_id: "file:secrets/aws-id",'
    ' secret_access_key: "file:secrets/aws-key", log_buckets: [{bucket}]'
)


@pytest.fixture
def moto(ltd: Estate, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProcess]:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("aws-id", "aws-key"):
        path = ltd.folder / "secrets" / name
        path.touch(mode=0o600)
        path.write_text("testing", encoding="utf-8")
    with AwsProcess() as account:
        aws_estate.seed(account.url, ltd.at)
        ltd.sources = {"aws": AWS.format(url=account.url, bucket=aws_estate.LOG_BUCKET)}
        yield account


@pytest.mark.slow
def test_an_account_is_judged_and_a_denied_call_hides_what_it_would_have_shown(ltd: Estate, moto: AwsProcess) -> None:
    summary = ltd.scan()
    assert (summary.exit_code, summary.unseen) == (1, [])
    assert ltd.results()["aws-root-mfa"].counts == {"fail": 1}
    assert {v.resource for v in ltd.verdicts("aws-root-access-keys") if v.status == "pass"} == {ACCOUNT}
    before = {key: row.state for key, row in ltd.nonconformities().items()}
    assert before["aws-root-mfa", "aws"] == "open"

    moto.deny("GetAccountSummary")
    summary = ltd.scan()
    assert [item.state for item in summary.unseen] == ["denied"]
    assert "GetAccountSummary" in summary.unseen[0].remedy
    assert summary.exit_code == 2
    no_pass(ltd, above("aws_account"))
    assert {key: row.state for key, row in ltd.nonconformities().items()} == before
    assert ltd.results()["aws-password-policy-length"].counts == {"fail": 1}, "the rest of the account is still seen"
