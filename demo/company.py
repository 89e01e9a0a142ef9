"""Example Ltd, running: AWS, GitHub, Okta and KnowBe4 on loopback, and the exports of its other systems as files.

The company runs in a process of its own, so that scans come and go while it stays. It listens on a socket for `drift`,
`repair` and `stop`, and stops by itself after two idle hours or when its folder is gone.
"""

from __future__ import annotations

import csv
import json
import os
from contextlib import ExitStack
from datetime import UTC, datetime
from multiprocessing.connection import Listener
from pathlib import Path
from threading import Timer
from typing import Any

from tests.simulators import aws_estate, company, github, github_states, knowbe4, okta, okta_states
from tests.simulators.aws import AwsCompany

FOLDER = Path(".demo")
RUNNING = FOLDER / "company.json"
_IDLE_SECONDS = 2 * 60 * 60


class Company:
    """The services of the company, and their state."""

    def __init__(self, folder: Path, services: ExitStack) -> None:
        self.folder = folder
        self.now = datetime.now(UTC)
        self.github = services.enter_context(github.GithubSimulator(github_states.start(self.now)).start())
        self.okta = services.enter_context(okta.OktaSimulator(okta_states.start(self.now)).start())
        self.knowbe4 = services.enter_context(knowbe4.KnowBe4Simulator(knowbe4.start(self.now)).start())
        self.aws = services.enter_context(AwsCompany().start())
        aws_estate.seed(self.aws.url, self.now)
        self.export("start")

    def change(self, state: str) -> None:
        """Every system of the company moves to another state: drift or repair."""
        self.now = datetime.now(UTC)
        self.github.state = getattr(github_states, state)(self.now)
        self.okta.state = getattr(okta_states, state)(self.now)
        self.knowbe4.state = getattr(knowbe4, state)(self.now)
        getattr(aws_estate, state)(self.aws.url, self.now)
        self.export(state)

    def export(self, state: str) -> None:
        """The files that people export from the other systems."""
        exports = self.folder / "exports"
        _write(exports / "people.csv", company.hr_rows(self.now))
        _write(exports / "training.csv", company.training_rows(self.now, state))
        _write(exports / "incidents.csv", company.incident_rows(self.now, state))
        owners = [{"System": "github", "Login": p.login, "Mail": p.email} for p in company.PEOPLE]
        _write(exports / "account-owners.csv", owners)

    @property
    def urls(self) -> dict[str, str]:
        """Where the services listen."""
        return {"github": self.github.url, "okta": self.okta.url, "knowbe4": self.knowbe4.url, "aws": self.aws.url}


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def serve(folder: Path = FOLDER) -> None:
    """Run the company until it is told to stop; its addresses stand in `company.json` once it is ready."""
    with ExitStack() as services:
        company_ = Company(folder, services)
        listener = services.enter_context(Listener(("127.0.0.1", 0), authkey=_key(folder)))
        ready = folder / "company.json.part"
        about = {"pid": os.getpid(), "port": listener.address[1], "urls": company_.urls}
        ready.write_text(json.dumps(about), encoding="utf-8")
        ready.replace(folder / "company.json")
        idle = _idle(folder)
        while _obeyed(listener, company_):
            idle.cancel()
            idle = _idle(folder)
        idle.cancel()


def _key(folder: Path) -> bytes:
    return str(folder.resolve()).encode()


def _idle(folder: Path) -> Timer:
    timer = Timer(_IDLE_SECONDS, lambda: tell("stop", folder))
    timer.daemon = True
    timer.start()
    return timer


def _obeyed(listener: Listener, company_: Company) -> bool:
    """Do what the next caller says; answer when it is done, so that a scan that follows sees it. False for `stop`."""
    with listener.accept() as caller:
        command: str = caller.recv()
        if command == "stop":
            (company_.folder / "company.json").unlink(missing_ok=True)
        else:
            company_.change(command)
        caller.send("ok")
    return command != "stop"


def tell(command: str, folder: Path = FOLDER) -> bool:
    """Tell the running company something; False when none is running."""
    from multiprocessing.connection import Client

    try:
        about: dict[str, Any] = json.loads((folder / "company.json").read_text(encoding="utf-8"))
        with Client(("127.0.0.1", about["port"]), authkey=_key(folder)) as caller:
            caller.send(command)
            caller.recv()
    except (FileNotFoundError, ConnectionError, EOFError):
        return False
    return True
