"""One sample account on loopback for all tests of the collector, as it is found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from collectors.aws import AwsConfig
from tests.collectors.aws.scanning import Scan
from tests.simulators import aws_estate
from tests.simulators.aws import AwsCompany


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def _chain() -> Iterator[None]:
    """Only the credential that the tests give, whatever this host has."""
    wanted = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def company(now: datetime, _chain: None) -> Iterator[AwsCompany]:
    with AwsCompany().start() as running:
        aws_estate.seed(running.url, now)
        yield running


@pytest.fixture(autouse=True)
def _healthy(request: pytest.FixtureRequest) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    if "company" in request.fixturenames:
        request.getfixturevalue("company").heal()


@pytest.fixture(scope="session")
def scan(company: AwsCompany, now: datetime) -> Scan:
    config = AwsConfig(
        regions=aws_estate.REGIONS, endpoint_url=company.url, log_buckets=(aws_estate.LOG_BUCKET,), log_days=1
    )
    scan = Scan(config, now)
    scan.discover()
    return scan
