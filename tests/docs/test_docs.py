"""The documentation is true: its commands run, its examples work, its links lead somewhere."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from docs import generate
from tests.simulators import company, okta, okta_states

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language: page and text."""
    return [(page.name, text) for page in PAGES for kind, text in FENCE.findall(page.read_text()) if kind == language]


def example(page: str, language: str) -> tuple[str, str]:
    """The first example of a page: the file that its first line names, and its text."""
    text = next(text for name, text in blocks(language) if name == page)
    return text.splitlines()[0].removeprefix("# "), text


def annexa(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "annexa", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A company whose Okta and people were scanned, as the reader of the guide has it."""
    from annexa.clock import now

    folder = tmp_path_factory.mktemp("guide")
    with okta.OktaSimulator(okta_states.start(now())).start() as server:
        (folder / "token").touch(mode=0o600)
        (folder / "token").write_text("okta-super-token")
        people = company.hr_rows(now())
        with (folder / "people.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(people[0]))
            writer.writeheader()
            writer.writerows(people)
        columns = {"id": "Employee No", "email": "Mail", "left_at": "End", "kind": "Type"}
        sources = {
            "okta": {"collector": "okta", "url": server.url, "token": "file:token"},
            "people": {"collector": "files", "table": "person", "path": "people.csv", "columns": columns},
        }
        (folder / "config.yaml").write_text(yaml.safe_dump({"company": "Example Ltd", "sources": sources}))
        ran = annexa(folder, "scan")
        assert ran.returncode == 1, ran.stdout + ran.stderr
        yield folder


COMMANDS = [
    (page, line.removeprefix("$ annexa ").split())
    for page, text in blocks("console")
    for line in text.splitlines()
    if line.startswith("$ ")
]


def test_there_are_commands_to_run() -> None:
    assert len(COMMANDS) > 10


@pytest.mark.parametrize(("page", "arguments"), COMMANDS, ids=[f"{page} {' '.join(line)}" for page, line in COMMANDS])
def test_a_command_of_the_guide_runs(scanned: Path, page: str, arguments: list[str]) -> None:
    plain = [a for a in arguments if a not in ("-c", ".demo/config.yaml")]
    ran = annexa(scanned, *plain)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip()


def test_the_example_check_passes_its_cases(tmp_path: Path) -> None:
    name, text = example("checks.md", "yaml")
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(text)
    ran = annexa(tmp_path, "checks", "test", Path(name).stem, "--pack", ".")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "with and without an end" in ran.stdout


class Doors(BaseHTTPRequestHandler):
    """Two pages of badges and an empty one."""

    pages = ([{"id": "1", "holder": {"email": "a@example.com"}, "active": True}], [{"id": "2", "active": False}], [])

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer door-token"
        number = int(dict(parse_qsl(urlsplit(self.path).query))["page"])
        body = json.dumps(self.pages[number - 1]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def test_the_example_collector_collects(tmp_path: Path) -> None:
    name, text = example("collectors.md", "python")
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(text)
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text("door-token")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Doors)
    Thread(target=server.serve_forever, daemon=True).start()
    doors = {"collector": "badges", "url": f"http://127.0.0.1:{server.server_port}", "token": "file:token"}
    config = {"company": "Example Ltd", "packs": ["."], "sources": {"doors": doors}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    ran = annexa(tmp_path, "scan")
    server.shutdown()
    server.server_close()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    listed = json.loads(annexa(tmp_path, "evidence", "list", "--json").stdout)
    assert [(item["table"], item["rows"], item["state"]) for item in listed] == [("badges_badge", 2, "complete")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_two_commands_of_the_readme_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    wanted = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= wanted
    assert [target for target in wanted if f"\n{target}:" not in makefile] == []


def test_the_reference_is_what_the_code_says() -> None:
    found = {file.name: file.read_text(encoding="utf-8") for file in generate.FOLDER.iterdir()}
    # In a process of its own: click keeps the help option of a command as it was first asked for.
    command = [sys.executable, "-c", "import json; from docs import generate; print(json.dumps(generate.pages()))"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found == json.loads(made.stdout), "run `make docs`"
