"""`python -m demo`: start the sample company and scan it; `drift`, `repair` and `stop` talk to the running company."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from demo.company import FOLDER, RUNNING, serve, tell

_START_SECONDS = 120
NEXT = """
The company is still running on loopback. Look around:

  .venv/bin/annexa status -c {config}
  .venv/bin/annexa soa show A.5.17 -c {config}
  .venv/bin/annexa nc list -c {config}
  .venv/bin/annexa kpi list -c {config}
  .venv/bin/annexa report -c {config}          # one HTML page

make demo-drift      the company changes; scan again to see it:  .venv/bin/annexa scan -c {config}
make demo-repair     the company repairs what was found; scan again
make demo-stop       stop the company
"""


def up() -> int:
    """A fresh company, scanned. What the scan finds wrong is the point of it: it ends well all the same."""
    tell("stop")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    print("starting the sample company on loopback …", flush=True)
    about = _started()
    from demo import config
    from tests.simulators.aws_log_files import LOG_BUCKET

    path = config.write(FOLDER, about["urls"], LOG_BUCKET)
    code = scan(path)
    print(NEXT.format(config=path))
    return 0 if code in (0, 1, 2, 3) else code


def scan(path: Path) -> int:
    """The real `annexa scan`, as a user runs it."""
    command = [str(Path(sys.executable).parent / "annexa"), "scan", "-c", str(path)]
    print(f"$ annexa scan -c {path}", flush=True)
    return subprocess.run(command, check=False).returncode


def _started() -> dict[str, Any]:
    with (FOLDER / "company.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while not RUNNING.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the company did not start:\n{(FOLDER / 'company.log').read_text()}")
        time.sleep(0.1)
    about: dict[str, Any] = json.loads(RUNNING.read_text(encoding="utf-8"))
    return about


def main() -> int:
    """What the command line asks for."""
    command = sys.argv[1] if len(sys.argv) > 1 else "up"
    if command == "up":
        return up()
    if command == "serve":
        serve()
        return 0
    if command not in ("drift", "repair", "stop"):
        print("usage: python -m demo [up|drift|repair|stop]")
        return 64
    if tell(command):
        print({"stop": "the company has stopped"}.get(command, f"the company is in state {command}; scan it again"))
        return 0
    print("no company is running", *([] if command == "stop" else ["- start it with: make demo"]))
    return 0 if command == "stop" else 1


if __name__ == "__main__":
    sys.exit(main())
