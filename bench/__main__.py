"""Every benchmark, one after the other: `make bench`. Each is a ratio within one run."""

from __future__ import annotations

from bench import checks, evidence, startup

for bench in (startup, evidence, checks):
    print(f"== {bench.__name__}", flush=True)
    bench.main()
