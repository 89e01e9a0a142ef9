"""Nonconformities from verdicts (ISO/IEC 27001, 10.2): raised, updated, resolved, reopened; never duplicated.

The states of a record and what moves it between them:

    (none) ──fails──▶ open ──clean──▶ resolved ──fails──▶ open (reopened)
                        └──fails in other resources──▶ open (updated)

- A record's fingerprint is the control, the check and the group (source, and scope where the policy says so). There is
  one record per fingerprint that is open or resolved; it is opened again rather than raised twice.
- `clean` means: the check ran, saw everything it needed, had something to judge, and nothing in the group fails. A
  check that was blind (error, incomplete, stale, unsourced) resolves nothing. Nor does anything resolve the records
  of a source that is not configured any more: it cannot be seen, however complete the evidence of the others is.
- `resolved` is the machine's word. `closed` is a person's: cause, action and verification belong to it. A failure after
  closure raises a new record that names the old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from annexa import clock
from annexa.events import NonconformityRaised, NonconformityReopened, NonconformityResolved, NonconformityUpdated

Happening = NonconformityRaised | NonconformityUpdated | NonconformityResolved | NonconformityReopened


@dataclass(frozen=True, slots=True)
class Policy:
    """How nonconformities are raised: content of `soa/nonconformities.yaml`.

    Args:
        grades: Severity of a check to grade: major, minor, observation.
        due_days: Severity to days until the correction is due.
        group_by: `source`, or `source` and `scope`.
        owners: Control to owner; `default` for the others.
    """

    grades: Mapping[str, str]
    due_days: Mapping[str, int]
    group_by: tuple[str, ...]
    owners: Mapping[str, str]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Policy:
        """The policy of a validated file."""
        owners = content.get("owners", {})
        named = {**owners.get("by_control", {}), "default": owners.get("default", "")}
        return cls(content["grades"], content["due_days"], tuple(content["group_by"]), named)

    def owner(self, control: str, statement_owner: str | None) -> str | None:
        """Who owns it: named in the policy for the control, else the control's owner in the statement, else default."""
        return self.owners.get(control) or statement_owner or self.owners.get("default") or None


@dataclass(frozen=True, slots=True)
class Failure:
    """A resource that fails, with its group: the source, and the scope when grouped by scope."""

    source: str
    scope: str
    resource: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What an assessment says about one check.

    Args:
        clean: It ran, saw everything it needed, and had something to judge.
        failures: Every failing resource, in order.
    """

    check: str
    title: str
    severity: str
    controls: tuple[str, ...]
    clean: bool
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A record as it stands: `state` is open, resolved or closed; `shown` is the digest of its resources."""

    id: str
    fingerprint: str
    check: str
    source: str
    state: str
    shown: str
    resources: int


def fingerprint(control: str, check: str, source: str, scope: str) -> str:
    """What makes two failures the same nonconformity; stable over runs and releases."""
    return hashlib.sha256("\x1f".join((control, check, source, scope)).encode()).hexdigest()


def shown(failures: Iterable[Failure]) -> str:
    """SHA-256 of which resources fail; what is said of them may change from run to run without a new fact."""
    names = sorted(f"{failure.scope}\x1f{failure.resource}" for failure in failures)
    return hashlib.sha256("\x1e".join(names).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Context:
    """What deciding depends on besides verdicts and records.

    Args:
        applicable: Controls the statement declares applicable; a check on excluded controls only raises nothing.
        owners: Control to owner, from the statement.
        sources: The configured sources.
        as_of: When the assessment speaks; due dates count from it.
    """

    policy: Policy
    applicable: frozenset[str]
    owners: Mapping[str, str | None]
    sources: frozenset[str]
    as_of: datetime

    def due(self, severity: str) -> str:
        """When the correction is due."""
        return clock.text(self.as_of + timedelta(days=self.policy.due_days[severity]))


def decide(judged: Iterable[Judged], known: Iterable[Known], context: Context, *, next_number: int) -> list[Happening]:
    """What the verdicts mean for the nonconformities.

    Args:
        judged: The checks that were assessed.
        known: All records that are not closed, and the latest closed one of each fingerprint.
        next_number: The number that the next new record gets.

    Returns:
        The events, raised ones in the order of their numbers.
    """
    records = {record.fingerprint: record for record in known}
    numbers = count(next_number)
    happenings: list[Happening] = []
    for check in judged:
        if not context.applicable.intersection(check.controls):
            continue
        groups = _groups(check, context.policy)
        for mark, failures in groups.items():
            happenings += _failing(check, mark, failures, records.get(mark), context, numbers)
        if check.clean:
            happenings += _resolved(check, records.values(), context.sources, groups.keys())
    return happenings


def _groups(check: Judged, policy: Policy) -> dict[str, list[Failure]]:
    """The failures by fingerprint."""
    groups: dict[str, list[Failure]] = {}
    for failure in check.failures:
        scope = failure.scope if "scope" in policy.group_by else ""
        mark = fingerprint(check.controls[0], check.check, failure.source, scope)
        groups.setdefault(mark, []).append(failure)
    return groups


def _failing(
    check: Judged,
    mark: str,
    failures: list[Failure],
    record: Known | None,
    context: Context,
    numbers: Iterator[int],
) -> list[Happening]:
    statement, resources = _statement(check, failures), shown(failures)
    if record is None or record.state == "closed":
        return [_raised(f"NC-{next(numbers):04d}", check, mark, failures, record, context)]
    if record.state == "resolved":
        return [NonconformityReopened(record.id, len(failures), resources, statement, context.due(check.severity))]
    # A check that was blind may see fewer failures than there are: it never shrinks a record.
    if resources != record.shown and (check.clean or len(failures) >= record.resources):
        return [NonconformityUpdated(record.id, len(failures), resources, statement)]
    return []


def _raised(
    identifier: str,
    check: Judged,
    mark: str,
    failures: list[Failure],
    closed: Known | None,
    context: Context,
) -> NonconformityRaised:
    controls = [control for control in check.controls if control in context.applicable]
    return NonconformityRaised(
        id=identifier,
        fingerprint=mark,
        origin="check",
        control=controls[0],
        controls=controls,
        check=check.check,
        source=failures[0].source,
        scope=failures[0].scope if "scope" in context.policy.group_by else "",
        title=check.title,
        statement=_statement(check, failures),
        severity=check.severity,
        grade=context.policy.grades[check.severity],
        owner=context.policy.owner(controls[0], context.owners.get(controls[0])),
        due_at=context.due(check.severity),
        resources=len(failures),
        shown=shown(failures),
        recurrence_of=closed.id if closed else None,
    )


def _resolved(
    check: Judged, records: Iterable[Known], sources: frozenset[str], failing: Iterable[str]
) -> list[Happening]:
    still = set(failing)
    return [
        NonconformityResolved(record.id, f"{check.check} finds nothing of it any more")
        for record in records
        if (record.check, record.state) == (check.check, "open")
        and record.source in sources
        and record.fingerprint not in still
    ]


def _statement(check: Judged, failures: list[Failure]) -> str:
    """The nature of the nonconformity, with objective evidence: how many, and the first three."""
    shown = "; ".join(f"{failure.resource}: {failure.reason}" for failure in failures[:3])
    more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
    return f"{check.title} does not hold for {len(failures)}: {shown}{more}"
