"""`python -m annexa`."""

from annexa.cli import main

main()
