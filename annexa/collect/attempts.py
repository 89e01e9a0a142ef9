"""The one place where any exception is caught: at the edge of code that is not ours.

A collector may be anybody's, and one shard's failure never stops the others. So whatever its code raises becomes a
value here, which the caller turns into the shard's end or raises again elsewhere; nothing is dropped. Ctrl-C passes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """What was raised in place of a result."""

    error: Exception | SystemExit


def attempt(work: Callable[[], Result]) -> Result | Failure:
    """The result of `work`, or what it raised; `sys.exit` in a collector ends its shard, not the run."""
    try:
        return work()
    except (Exception, SystemExit) as error:
        _log.debug("a shard's work raised %s", type(error).__name__, exc_info=True)
        return Failure(error)
