"""KnowBe4: users, training enrolments and the results of simulated phishing.

KnowBe4 publishes no machine-readable description of its API: this collector follows its documentation, and was
compared with recorded answers for the account and the phishing campaigns only.

Rules:
- Active and archived users are asked for one after the other, so that no default decides who is listed.
- A list ends where the vendor says so: pages are numbered, and the account's server (`region`) is part of the address.

Source: https://developer.knowbe4.com/rest/reporting
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from annexa.sdk import Bearer, Collector, Help, Http, Json, PageNumber, Row, Secret, Timestamp, Transports

PAGE_SIZE = 500
"""The most that KnowBe4 gives in one page."""

_REPORTING = "Reporting API access (Account Settings > Account Integrations > API; Platinum and Diamond plans)"


@dataclass(frozen=True)
class KnowBe4Config:
    """One KnowBe4 account."""

    token: Annotated[Secret, Help("The reporting API token of the account")]
    region: Annotated[
        Literal["us", "eu", "ca", "uk", "de"], Help("The server of the account: us, eu, ca, uk or de")
    ] = "us"
    url: Annotated[str, Help("Another address than https://REGION.api.knowbe4.com")] = ""


def connect(config: KnowBe4Config, open: Transports) -> Http:
    """The transport of one account."""
    url = config.url or f"https://{config.region}.api.knowbe4.com"
    return open.http(url, auth=Bearer(config.token), paging=PageNumber(size=PAGE_SIZE))


knowbe4 = Collector(
    "knowbe4", config=KnowBe4Config, connect=connect, docs="https://developer.knowbe4.com/rest/reporting"
)


@knowbe4.table(
    "knowbe4_user",
    key="id",
    permissions=[_REPORTING],
    columns={
        "id": int,
        "email": str,
        "first_name": str,
        "last_name": str,
        "status": str,
        "employee_number": str,
        "department": str,
        "job_title": str,
        "manager_email": str,
        "groups": Json,
        "current_risk_score": float,
        "phish_prone_percentage": float,
        "joined_on": Timestamp,
        "last_sign_in": Timestamp,
        "employee_start_date": Timestamp,
        "archived_at": Timestamp,
    },
)
def users(api: Http) -> Iterator[Row]:
    """One person who is or was trained; `status` is active or archived."""
    seen = set()
    for user in api.pages("/v1/users", status="active"):
        seen.add(user.get("id"))
        yield user
    for user in api.pages("/v1/users", status="archived"):
        if user.get("id") not in seen:
            yield user


@knowbe4.table(
    "knowbe4_enrollment",
    key="enrollment_id",
    permissions=[_REPORTING],
    columns={
        "enrollment_id": int,
        "content_type": str,
        "module_name": str,
        "user_id": (int, "user.id"),
        "user_email": (str, "user.email"),
        "campaign_name": str,
        "enrollment_date": Timestamp,
        "start_date": Timestamp,
        "completion_date": Timestamp,
        "status": str,
        "time_spent": int,
        "policy_acknowledged": bool,
    },
)
def enrollments(api: Http) -> Iterator[Row]:
    """One person's enrolment in one module or policy; `time_spent` is in seconds, `completion_date` null until done."""
    yield from api.pages("/v1/training/enrollments")


@knowbe4.table(
    "knowbe4_phishing_result",
    key="recipient_id",
    permissions=[_REPORTING],
    columns={
        "recipient_id": int,
        "pst_id": int,
        "user_id": (int, "user.id"),
        "user_email": (str, "user.email"),
        "template_name": (str, "template.name"),
        "scheduled_at": Timestamp,
        "delivered_at": Timestamp,
        "opened_at": Timestamp,
        "clicked_at": Timestamp,
        "replied_at": Timestamp,
        "attachment_opened_at": Timestamp,
        "macro_enabled_at": Timestamp,
        "data_entered_at": Timestamp,
        "reported_at": Timestamp,
        "bounced_at": Timestamp,
    },
)
def phishing_results(api: Http) -> Iterator[Row]:
    """What one person did with the message of one simulated phishing test; null: it did not happen."""
    for test in api.pages("/v1/phishing/security_tests"):
        with api.part(f"recipients of phishing test {test['pst_id']}"):
            yield from api.pages(f"/v1/phishing/security_tests/{test['pst_id']}/recipients")
