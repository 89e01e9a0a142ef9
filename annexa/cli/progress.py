"""Progress of a run on a terminal: two bars on standard error that vanish when it is done."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from annexa import events
from annexa.cli.output import clean
from annexa.collect.shards import Outcome


class Progress:
    """A `Listener` that draws."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Bars(*columns, console=Console(stderr=True), transient=True)
        self._task: TaskID | None = None

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(clean(text), markup=False)

    def planned(self, shards: int) -> None:
        """Collecting begins."""
        self._bars.start()
        self._task = self._bars.add_task("collecting", total=shards)

    def collected(self, outcome: Outcome) -> None:
        """A shard ended."""
        self._step(f"collecting {clean(outcome.shard.name)}")

    def assessing(self, checks: int) -> None:
        """Assessing begins."""
        self._bars.start()
        self._task = self._bars.add_task("assessing", total=checks)

    def assessed(self, check: events.Assessed) -> None:
        """A check was evaluated."""
        self._step(f"assessing {check.check}")
        if self._task is not None and self._bars.tasks[-1].finished:
            self._bars.stop()

    def _step(self, description: str) -> None:
        if self._task is not None:
            self._bars.update(self._task, advance=1, description=f"{description:.60}")
