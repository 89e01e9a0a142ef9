"""The command line: a shell without rules."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `annexa` command."""
