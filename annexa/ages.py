"""Ages and sizes as people write them in YAML: `30m`, `24h`, `7d`; `512MB`, `2GB`."""

from __future__ import annotations

import re
from datetime import timedelta

AGE = r"^[1-9][0-9]{0,4}[smhdw]$"
SIZE = r"^[1-9][0-9]{0,5}(MB|GB)$"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_BYTES = {"MB": 10**6, "GB": 10**9}


def age(text: str) -> timedelta:
    """The age that `24h` stands for: a whole number of seconds, minutes, hours, days or weeks.

    Raises:
        ValueError: anything else.
    """
    if not re.fullmatch(AGE, text):
        raise ValueError(f"{text!r} is not an age such as 30m, 24h or 7d")
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def age_text(value: timedelta) -> str:
    """The age in the largest unit that leaves no rest: 7 days are `1w`, 36 hours `36h`."""
    seconds = int(value.total_seconds())
    for unit, length in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def size(text: str) -> int:
    """The bytes that `512MB` stands for; a megabyte is 10^6 bytes.

    Raises:
        ValueError: anything else.
    """
    if not re.fullmatch(SIZE, text):
        raise ValueError(f"{text!r} is not a size such as 512MB or 2GB")
    return int(text[:-2]) * _BYTES[text[-2:]]
