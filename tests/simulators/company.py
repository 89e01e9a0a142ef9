"""Example Ltd: the people of the sample company, and the exports that a person would make of its other systems.

Everything hangs on `now`, so that the leaver always left 20 days ago. `state` is one of

- `start`: as the company is found: a leaver with access, a contractor, an administrator without training …
- `drift`: what got worse since: a new administrator without MFA, a repository made public, a protection gone
- `repair`: what was put right since `start`.

The simulators' own `start`, `drift` and `repair` tell the same story in their vendors' words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

DOMAIN = "example.com"
STATES = ("start", "drift", "repair")
LEAVER = "edsger.dijkstra"


@dataclass(frozen=True, slots=True)
class Person:
    """One person; `started` and `left` are in days before now, `manager` is the local part of an address."""

    number: int
    local: str
    department: str
    manager: str
    started: int
    left: int | None = None
    kind: str = "Employee"

    @property
    def email(self) -> str:
        return f"{self.local}@{DOMAIN}"

    @property
    def name(self) -> str:
        return self.local.replace(".", " ").title()

    @property
    def login(self) -> str:
        """The name at GitHub."""
        return self.local.replace(".", "-")


PEOPLE = (
    Person(1, "ada.lovelace", "Technology", "", 2900),
    Person(2, "barbara.liskov", "Security", "ada.lovelace", 2100),
    Person(3, "grace.hopper", "Engineering", "ada.lovelace", 1900),
    Person(4, "alan.turing", "Engineering", "grace.hopper", 1500),
    Person(5, "mary.jackson", "Engineering", "grace.hopper", 800),
    Person(6, "margaret.hamilton", "Operations", "ada.lovelace", 1300),
    Person(7, "john.backus", "Operations", "margaret.hamilton", 700),
    Person(8, "katherine.johnson", "Data", "ada.lovelace", 1100),
    Person(9, LEAVER, "Engineering", "grace.hopper", 1700, left=20),
    Person(10, "niklaus.wirth", "Data", "katherine.johnson", 1600, left=200),
    Person(11, "dorothy.vaughan", "People", "ada.lovelace", 1000),
    Person(12, "tony.hoare", "Finance", "dorothy.vaughan", 600),
    Person(13, "frances.allen", "Engineering", "grace.hopper", 3),
    Person(14, "donald.knuth", "Engineering", "grace.hopper", 90, kind="Contractor"),
)

_COURSES = ("Security awareness", "Acceptable use policy")
_UNTRAINED = "john.backus"
_LAPSED = "tony.hoare"
_GRACE_DAYS = 30


def people(now: datetime) -> list[dict[str, str | None]]:
    """The people of the company: id, email, name, department, manager, started_at, left_at, type."""
    return [
        {
            "id": f"E{person.number:03d}",
            "email": person.email,
            "name": person.name,
            "department": person.department,
            "manager": f"{person.manager}@{DOMAIN}" if person.manager else None,
            "started_at": _day(now, person.started),
            "left_at": None if person.left is None else _day(now, person.left),
            "type": person.kind,
        }
        for person in PEOPLE
    ]


def hr_rows(now: datetime) -> list[dict[str, str]]:
    """The people system's export, leavers included; the same in every state."""
    columns = ("id", "email", "name", "department", "manager", "started_at", "left_at", "type")
    headers = ("Employee No", "Mail", "Name", "Department", "Manager", "Start", "End", "Type")
    return [
        {header: person[column] or "" for header, column in zip(headers, columns, strict=True)}
        for person in people(now)
    ]


def training_rows(now: datetime, state: str = "start") -> list[dict[str, str]]:
    """The learning system's export: one row per person and course; `Completed` is empty until it is.

    `start`: john.backus, an administrator, has completed nothing and is long overdue. `drift`: tony.hoare, assigned
    anew, is overdue too. `repair`: john.backus completed both yesterday.
    """
    return [_training(now, person, course, state) for person in PEOPLE if person.left is None for course in _COURSES]


def _training(now: datetime, person: Person, course: str, state: str) -> dict[str, str]:
    assigned = min(person.started, 305)
    done: int | None = assigned - 10
    if person.local == _UNTRAINED:
        assigned, done = 425, 1 if state == "repair" else None
    elif person.local == _LAPSED and state == "drift":
        assigned, done = 60, None
    elif person.started < _GRACE_DAYS:
        done = None
    return {
        "Employee No": f"E{person.number:03d}",
        "Mail": person.email,
        "Course": course,
        "Assigned": _day(now, assigned),
        "Due": _day(now, assigned - _GRACE_DAYS),
        "Completed": "" if done is None else _day(now, done),
    }


def incident_rows(now: datetime, state: str = "start") -> list[dict[str, str]]:
    """The ticket system's export. `drift`: one more, critical and open. `repair`: all are resolved."""
    rows = [
        _incident(now, 1, "Phishing mail opened", "Medium", "incident", 60, (60.2, 59.8, 59.0), "grace.hopper"),
        _incident(now, 2, "Laptop left on a train", "High", "incident", 34, (34.5, 33.9, 30.0), "alan.turing"),
        _incident(now, 3, "Visitor followed through a door", "Low", "near miss", 25, (25.0, 25.0, 24.0), "tony.hoare"),
        _incident(now, 4, "Credentials in a log file", "High", "incident", 2, (9.0, 1.5, None), "mary.jackson"),
    ]
    if state == "drift":
        rows.append(
            _incident(now, 5, "Repository made public", "Critical", "incident", 1, (1.2, None, None), "grace.hopper")
        )
    if state == "repair":
        rows[3] = _incident(now, 4, "Credentials in a log file", "High", "incident", 2, (9.0, 1.5, 0.5), "mary.jackson")
    return rows


def _incident(
    now: datetime,
    number: int,
    title: str,
    severity: str,
    category: str,
    detected: float,
    moments: tuple[float, float | None, float | None],
    reporter: str,
) -> dict[str, str]:
    """`detected` and `moments` (occurred, contained, resolved) are in days before now."""
    occurred, contained, resolved = moments
    return {
        "Number": f"INC{number:04d}",
        "Title": title,
        "Severity": severity,
        "Category": category,
        "Detected": instant(now, detected),
        "Occurred": instant(now, occurred),
        "Contained": "" if contained is None else instant(now, contained),
        "Resolved": "" if resolved is None else instant(now, resolved),
        "State": "Open" if resolved is None else "Resolved",
        "Reporter": f"{reporter}@{DOMAIN}",
    }


def instant(now: datetime, days: float) -> str:
    """An instant so many days before now, ISO 8601 in UTC with milliseconds, as most vendors write it."""
    moment = now - timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _day(now: datetime, days: int) -> str:
    day: date = (now - timedelta(days=days)).date()
    return day.isoformat()
