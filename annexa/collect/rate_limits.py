"""What an answer says about rate limits, in the dialects that vendors speak.

| vendor | headers | when refused |
|---|---|---|
| everyone | `Retry-After`: seconds, or a date (RFC 9110, 10.2.3) | 429, 503 |
| GitHub | `X-RateLimit-Remaining`, `-Reset` (seconds since 1970) | 429, or 403 that looks like a denial |
| Okta | `X-Rate-Limit-Remaining`, `-Reset` (seconds since 1970) | 429 |
| GitLab | `RateLimit-Remaining`, `-Reset` (seconds since 1970), no `Retry-After` | 429 |
| IETF draft | `RateLimit-Reset` (seconds from now) | 429 |

Times are held against the answer's own `Date`, so that a clock that is wrong here does not matter.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from annexa.collect.exchange import Response

_REMAINING = ("x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining")
_RESET = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")
_SINCE_1970 = 100_000_000
_IN_MILLISECONDS = 100_000_000_000
_SECONDARY = b"secondary rate limit"
_SECONDARY_WAIT = 60.0


def refused_for_rate(response: Response) -> bool:
    """Whether this is a refusal for asking too often: 429, or GitHub's 403 that means it.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if response.status == 429:
        return True
    exhausted = _number(response, _REMAINING) == 0 or _SECONDARY in response.body.lower()
    return response.status == 403 and (exhausted or bool(response.header("retry-after")))


def wait_asked(response: Response, now: datetime) -> float | None:
    """How many seconds the system asks to wait before the next try; None when it does not say.

    Only an error can ask: `Retry-After` on a success speaks of something else (a job that was accepted).
    """
    if response.status < 400:
        return None
    now = _date(response.header("date")) or now
    after = _seconds(response.header("retry-after"), now)
    if after is None and refused_for_rate(response):
        after = _until_reset(response, now)
        if after is None and response.status == 403:
            after = _SECONDARY_WAIT
    return after


def pause_announced(response: Response, now: datetime) -> float | None:
    """How many seconds nothing is left for, as a success says it; None when there is something left."""
    if response.status >= 400 or _number(response, _REMAINING) != 0:
        return None
    return _until_reset(response, _date(response.header("date")) or now)


def _until_reset(response: Response, now: datetime) -> float | None:
    reset = _number(response, _RESET)
    if reset is None:
        return None
    if reset > _IN_MILLISECONDS:
        reset /= 1000
    return max(0.0, reset - now.timestamp() if reset > _SINCE_1970 else reset)


def _number(response: Response, names: tuple[str, ...]) -> float | None:
    for name in names:
        text = response.header(name).strip()
        if text.isascii() and text.isdigit():
            return float(text)
    return None


def _seconds(text: str, now: datetime) -> float | None:
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    date = _date(text)
    return max(0.0, (date - now).total_seconds()) if date is not None else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
