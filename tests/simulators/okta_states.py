"""Example Ltd at Okta.

`start`: the leaver is still active and has signed in since; mary.jackson and the backup account have no factor;
john.backus is an organisation administrator through a group; somebody tries margaret.hamilton's password from abroad.
`drift`: tony.hoare is a super administrator without a factor; the sign-on rule no longer demands one. `repair`: the
leaver is deprovisioned and mary.jackson has enrolled.

`profile.githubUsername` is an attribute that Example Ltd added to its profiles: it says whose a GitHub account is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.simulators.company import LEAVER, PEOPLE, Person, instant

TOKENS = {"okta-super-token": "super", "okta-read-only-token": "read_only"}
GONE = "niklaus.wirth"
_SERVICE = "svc-backup"
_NO_FACTOR = {"mary.jackson", "frances.allen", _SERVICE}


def user_id(local: str) -> str:
    """The identifier of a user, by the local part of the address."""
    return "00u" + local.replace(".", "").replace("-", "")[:17].ljust(17, "0")


def start(now: datetime) -> dict[str, Any]:
    """Okta as it is found."""
    people = [_user(now, person) for person in PEOPLE]
    service = _profile_user(now, _SERVICE, "ACTIVE", created=500, last_login=0.3, profile={"userType": "service"})
    locals_ = [person.local for person in PEOPLE if person.local != GONE]
    return {
        "tokens": dict(TOKENS),
        "users": [*people, service],
        "factors": {user_id(local): [_factor(now, local)] for local in locals_ if local not in _NO_FACTOR},
        "roles": {
            user_id("ada.lovelace"): [_role(now, "ada.lovelace", "SUPER_ADMIN", "Super Administrator")],
            user_id("barbara.liskov"): [
                _role(now, "barbara.liskov", "READ_ONLY_ADMIN", "Read-Only Administrator"),
                _role(now, "barbara.liskov", "REPORT_ADMIN", "Report Administrator"),
            ],
            user_id("john.backus"): [_role(now, "john.backus", "ORG_ADMIN", "Organization Administrator", by="GROUP")],
        },
        "apps": _apps(now),
        "policies": _policies(now),
        "rules": _rules(now),
        "api_tokens": [_api_token(now)],
        "events": _events(now),
    }


def drift(now: datetime) -> dict[str, Any]:
    """What got worse since `start`."""
    state = start(now)
    state["roles"][user_id("tony.hoare")] = [_role(now, "tony.hoare", "SUPER_ADMIN", "Super Administrator")]
    state["factors"].pop(user_id("tony.hoare"))
    state["rules"]["pol-signon"][0]["actions"]["signon"]["requireFactor"] = False
    return state


def repair(now: datetime) -> dict[str, Any]:
    """What was put right since `start`."""
    state = start(now)
    leaver = next(user for user in state["users"] if user["id"] == user_id(LEAVER))
    leaver.update(status="DEPROVISIONED", statusChanged=instant(now, 0.1))
    state["factors"].pop(user_id(LEAVER))
    state["factors"][user_id("mary.jackson")] = [_factor(now, "mary.jackson")]
    return state


def _user(now: datetime, person: Person) -> dict[str, Any]:
    first, last = person.name.split()
    profile = {
        "firstName": first,
        "lastName": last,
        "department": person.department,
        "employeeNumber": f"E{person.number:03d}",
        "userType": person.kind,
        "manager": person.manager or None,
        "githubUsername": person.login,
    }
    if person.local == GONE:
        return _profile_user(now, GONE, "DEPROVISIONED", created=person.started, last_login=201, profile=profile)
    login = 0.9 if person.local == LEAVER else 0.2 + person.number / 100
    return _profile_user(now, person.local, "ACTIVE", created=person.started, last_login=login, profile=profile)


def _profile_user(
    now: datetime, local: str, status: str, *, created: float, last_login: float, profile: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": user_id(local),
        "status": status,
        "created": instant(now, created),
        "activated": instant(now, created),
        "statusChanged": instant(now, 200 if status == "DEPROVISIONED" else created),
        "lastLogin": instant(now, last_login),
        "lastUpdated": instant(now, min(created, 40)),
        "passwordChanged": instant(now, min(created, 60)),
        "type": {"id": "otyexample"},
        "profile": {"login": f"{local}@example.com", "email": f"{local}@example.com", **profile},
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
    }


def _factor(now: datetime, local: str) -> dict[str, Any]:
    webauthn = local in {"ada.lovelace", "barbara.liskov"}
    return {
        "id": f"fac{user_id(local)[3:]}",
        "factorType": "webauthn" if webauthn else "push",
        "provider": "FIDO" if webauthn else "OKTA",
        "vendorName": "FIDO" if webauthn else "OKTA",
        "status": "ACTIVE",
        "created": instant(now, 2),
        "lastUpdated": instant(now, 2),
    }


def _role(now: datetime, local: str, kind: str, label: str, *, by: str = "USER") -> dict[str, Any]:
    return {
        "id": f"{kind}-{local}",
        "type": kind,
        "label": label,
        "status": "ACTIVE",
        "assignmentType": by,
        "created": instant(now, 90),
        "lastUpdated": instant(now, 90),
    }


def _apps(now: datetime) -> list[dict[str, Any]]:
    rows = (("github", "GitHub", "ACTIVE", "SAML_2_0"), ("wiki", "Old wiki", "INACTIVE", "AUTO_LOGIN"))
    return [
        {
            "id": f"0oa{name}",
            "name": name,
            "label": label,
            "status": status,
            "signOnMode": mode,
            "created": instant(now, 700),
            "lastUpdated": instant(now, 50),
        }
        for name, label, status, mode in rows
    ]


def _policies(now: datetime) -> list[dict[str, Any]]:
    password = {"complexity": {"minLength": 14}, "age": {"historyCount": 8}, "lockout": {"maxAttempts": 5}}
    enrolment = {"type": "AUTHENTICATORS", "authenticators": [{"key": "okta_verify", "enroll": {"self": "REQUIRED"}}]}
    return [
        _policy(now, "pol-signon", "OKTA_SIGN_ON", "Global session", {}),
        _policy(now, "pol-password", "PASSWORD", "Password", {"settings": {"password": password}}),
        _policy(now, "pol-enrol", "MFA_ENROLL", "Enrolment", {"settings": enrolment}),
        _policy(now, "pol-access", "ACCESS_POLICY", "Any two factors", {}),
    ]


def _policy(now: datetime, policy: str, kind: str, name: str, more: dict[str, Any]) -> dict[str, Any]:
    times = {"created": instant(now, 800), "lastUpdated": instant(now, 100)}
    row = {"id": policy, "type": kind, "name": name, "status": "ACTIVE", "priority": 1, "system": True}
    return {**row, **times, **more}


def _rules(now: datetime) -> dict[str, list[dict[str, Any]]]:
    session = {"maxSessionIdleMinutes": 120, "maxSessionLifetimeMinutes": 720}
    signon = {"access": "ALLOW", "requireFactor": True, "session": session}
    method = {"type": "ASSURANCE", "factorMode": "2FA", "reauthenticateIn": "PT12H"}
    return {
        "pol-signon": [_rule(now, "rul-signon", "SIGN_ON", {"signon": signon})],
        "pol-password": [_rule(now, "rul-password", "PASSWORD", {"selfServiceUnlock": {"access": "DENY"}})],
        "pol-enrol": [_rule(now, "rul-enrol", "MFA_ENROLL", {"enroll": {"self": "CHALLENGE"}})],
        "pol-access": [
            _rule(now, "rul-access", "ACCESS_POLICY", {"appSignOn": {"access": "ALLOW", "verificationMethod": method}})
        ],
    }


def _rule(now: datetime, rule: str, kind: str, actions: dict[str, Any]) -> dict[str, Any]:
    times = {"created": instant(now, 800), "lastUpdated": instant(now, 100)}
    row = {"id": rule, "type": kind, "name": "Default rule", "status": "ACTIVE", "priority": 1, "system": True}
    return {**row, **times, "conditions": None, "actions": actions}


def _api_token(now: datetime) -> dict[str, Any]:
    return {
        "id": "00Tannexa",
        "name": "annexa",
        "userId": user_id("ada.lovelace"),
        "clientName": "Okta API",
        "tokenWindow": "P30D",
        "network": {"connection": "ANYWHERE"},
        "created": instant(now, 30),
        "lastUpdated": instant(now, 1),
        "expiresAt": instant(now, -29),
    }


def _events(now: datetime) -> list[dict[str, Any]]:
    """Two sign-ins of everybody in three days, the leaver's of yesterday, and a password guessed at from abroad."""
    moments = [(0.2 + person.number / 100, person.local) for person in PEOPLE if person.local not in (GONE, LEAVER)]
    moments += [(day + 1.5, local) for day, local in moments]
    moments.append((0.9, LEAVER))
    signed_in = [_event(now, days, local, "SUCCESS") for days, local in moments]
    guessed = [_event(now, 0.4 + n / 1000, "margaret.hamilton", "FAILURE", country="Moldova") for n in range(12)]
    rows = sorted([*signed_in, *guessed], key=lambda event: str(event["published"]))
    return [{**row, "uuid": f"00000000-0000-4000-8000-{number:012d}"} for number, row in enumerate(rows)]


def _event(now: datetime, days: float, local: str, result: str, *, country: str = "Germany") -> dict[str, Any]:
    failed = result == "FAILURE"
    return {
        "published": instant(now, days),
        "eventType": "user.session.start",
        "severity": "WARN" if failed else "INFO",
        "displayMessage": "User login to Okta",
        "outcome": {"result": result, "reason": "INVALID_CREDENTIALS" if failed else None},
        "actor": {
            "id": user_id(local),
            "type": "User",
            "alternateId": f"{local}@example.com",
            "displayName": local.replace(".", " ").title(),
        },
        "client": {
            "ipAddress": "203.0.113.7" if failed else "198.51.100.4",
            "geographicalContext": {"country": country, "city": "Berlin" if country == "Germany" else "Chisinau"},
            "userAgent": {"rawUserAgent": "Mozilla/5.0"},
        },
        "target": [{"id": "0oaadmin", "type": "AppInstance", "displayName": "Okta Dashboard"}],
    }
