"""Benchmarks, each side by side in one process with what a user would do instead. Run one: `python -m bench.NAME`."""
