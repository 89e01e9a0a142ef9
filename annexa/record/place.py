"""Where in the ledger an event stands: all that a projection may know besides the event."""

from __future__ import annotations

from dataclasses import dataclass

from annexa.errors import Tampered


@dataclass(frozen=True, slots=True)
class Place:
    """The entry's index, its time (27 characters, UTC) and the run that made it."""

    entry: int
    time: str
    run: str | None

    @property
    def of_run(self) -> str:
        """The run, for events that only a run makes."""
        if self.run is None:
            raise Tampered(f"ledger entry {self.entry} belongs to no run, but its kind does")
        return self.run
