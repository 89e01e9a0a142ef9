"""`annexa --help` in milliseconds, against the bare interpreter: what every command pays before it does anything."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 10


def milliseconds(*command: str) -> float:
    """The median over `RUNS` whole processes, after one that is not counted."""
    times = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times[1:])


def main() -> None:
    """Print both medians and their ratio."""
    bare = milliseconds(sys.executable, "-c", "pass")
    ours = milliseconds(sys.executable, "-m", "annexa", "--help")
    print(f"annexa --help: {ours:.0f} ms, the bare interpreter {bare:.0f} ms, ratio {ours / bare:.1f} (target: 150 ms)")


if __name__ == "__main__":
    main()
