"""Time as the ledger writes it: UTC, ISO 8601, microseconds, `Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, UTC."""
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """`2026-09-10T00:00:00.000000Z`: 27 characters that sort as text.

    Raises:
        ValueError: `moment` has no time zone; a naive time has no meaning in evidence.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(value: str) -> datetime:
    """The time that `text` wrote.

    Raises:
        ValueError: not an ISO 8601 time with a zone.
    """
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return parsed.astimezone(UTC)
