"""KnowBe4's reporting API as far as a collector needs it, in memory, after its documentation.

Pages are numbered and carry no link; the page after the last one is empty. Example Ltd's people are trained here, and
had one simulated phishing test. `start`: john.backus has not begun, the long gone niklaus.wirth is archived.
`drift`: tony.hoare entered data in a second test. `repair`: john.backus has passed and the leaver is archived.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from tests.simulators.company import LEAVER, PEOPLE, Person, instant
from tests.simulators.server import Answer, Asked, Simulator

TOKENS = {"knowbe4-token": "reporting"}
_GONE = "niklaus.wirth"
_MODULES = ("Security awareness 2026", "Acceptable use policy")


class KnowBe4Simulator(Simulator):
    """One account."""

    routes: ClassVar[Mapping[str, str]] = {
        "/v1/users": "users",
        "/v1/training/enrollments": "enrollments",
        "/v1/phishing/security_tests": "security_tests",
        "/v1/phishing/security_tests/{test}/recipients": "recipients",
    }

    def page_of(self, asked: Asked) -> int:
        return int(asked.query.get("page", 1))

    def refusal(self, asked: Asked) -> Answer | None:
        token = asked.header("Authorization").removeprefix("Bearer ")
        return None if token in self.state["tokens"] else self.error(401, "Unauthorized")

    def error(self, status: int, message: str) -> Answer:
        return Answer(status, {"error": message})

    def users(self, asked: Asked) -> Answer:
        wanted = asked.query.get("status", "active")
        return self._listing(asked, [user for user in self.state["users"] if user["status"] == wanted])

    def enrollments(self, asked: Asked) -> Answer:
        return self._listing(asked, self.state["enrollments"])

    def security_tests(self, asked: Asked) -> Answer:
        return self._listing(asked, self.state["security_tests"])

    def recipients(self, asked: Asked, test: str) -> Answer:
        found = self.state["recipients"].get(test)
        return self.error(404, "Not Found") if found is None else self._listing(asked, found)

    def _listing(self, asked: Asked, items: list[Any]) -> Answer:
        size = self.size(asked, "per_page", default=25, most=500)
        begin = (self.page_of(asked) - 1) * size
        return Answer(200, items[begin : begin + size])


def start(now: datetime) -> dict[str, Any]:
    """KnowBe4 as it is found."""
    trained = [person for person in PEOPLE if person.local != _GONE]
    return {
        "tokens": dict(TOKENS),
        "users": [_user(now, person) for person in PEOPLE],
        "enrollments": [
            _enrollment(now, person, number, module) for person in trained for number, module in enumerate(_MODULES)
        ],
        "security_tests": [_test(now, 501, 45)],
        "recipients": {"501": [_recipient(now, person, 501, 45) for person in trained if person.started > 45]},
    }


def drift(now: datetime) -> dict[str, Any]:
    """What got worse since `start`."""
    state = start(now)
    results = [_recipient(now, person, 502, 2) for person in PEOPLE if person.left is None]
    fallen = next(row for row in results if row["user"]["email"].startswith("tony.hoare"))
    fallen.update(clicked_at=instant(now, 1.9), data_entered_at=instant(now, 1.9))
    state["security_tests"].append(_test(now, 502, 2))
    state["recipients"]["502"] = results
    return state


def repair(now: datetime) -> dict[str, Any]:
    """What was put right since `start`."""
    state = start(now)
    for row in state["enrollments"]:
        if row["user"]["email"].startswith("john.backus"):
            row.update(_done(now, 1))
    leaver = next(user for user in state["users"] if user["email"].startswith(LEAVER))
    leaver.update(status="archived", archived_at=instant(now, 0.1))
    return state


def _user(now: datetime, person: Person) -> dict[str, Any]:
    archived = person.local == _GONE
    first, last = person.name.split()
    return {
        "id": 800000 + person.number,
        "employee_number": f"E{person.number:03d}",
        "first_name": first,
        "last_name": last,
        "job_title": person.department,
        "email": person.email,
        "phish_prone_percentage": 50.0 if person.local == "alan.turing" else 0.0,
        "department": person.department,
        "manager_email": f"{person.manager}@example.com" if person.manager else None,
        "groups": [3264],
        "current_risk_score": 20.5 + person.number,
        "joined_on": instant(now, min(person.started, 900)),
        "last_sign_in": None if person.local == "john.backus" else instant(now, 5),
        "status": "archived" if archived else "active",
        "employee_start_date": instant(now, person.started),
        "archived_at": instant(now, 199) if archived else None,
    }


def _enrollment(now: datetime, person: Person, number: int, module: str) -> dict[str, Any]:
    begun = person.started > 30 and person.local != "john.backus"
    progress = _done(now, min(person.started, 120) - 5) if begun else {"status": "Not Started", "time_spent": 0}
    first, last = person.name.split()
    user = {"id": 800000 + person.number, "first_name": first, "last_name": last, "email": person.email}
    return {
        "enrollment_id": 10 * person.number + number,
        "content_type": "Uploaded Policy" if number else "Store Purchase",
        "module_name": module,
        "user": user,
        "campaign_name": "Yearly training",
        "enrollment_date": instant(now, min(person.started, 120)),
        "start_date": None,
        "completion_date": None,
        "policy_acknowledged": False,
        **progress,
    }


def _done(now: datetime, days: float) -> dict[str, Any]:
    times = {"start_date": instant(now, days + 0.1), "completion_date": instant(now, days)}
    return {**times, "status": "Passed", "time_spent": 2340, "policy_acknowledged": True}


def _test(now: datetime, test: int, days: float) -> dict[str, Any]:
    return {
        "pst_id": test,
        "campaign_id": 9,
        "name": "Monthly test",
        "status": "Closed",
        "started_at": instant(now, days),
    }


def _recipient(now: datetime, person: Person, test: int, days: float) -> dict[str, Any]:
    clicked = person.local == "alan.turing"
    first, last = person.name.split()
    return {
        "recipient_id": 1000 * test + person.number,
        "pst_id": test,
        "user": {"id": 800000 + person.number, "first_name": first, "last_name": last, "email": person.email},
        "template": {"id": 11, "name": "Parcel notice"},
        "scheduled_at": instant(now, days),
        "delivered_at": instant(now, days),
        "opened_at": instant(now, days - 0.1) if clicked else None,
        "clicked_at": instant(now, days - 0.1) if clicked else None,
        "replied_at": None,
        "attachment_opened_at": None,
        "macro_enabled_at": None,
        "data_entered_at": None,
        "reported_at": None if clicked else instant(now, days - 0.2),
        "bounced_at": None,
    }
