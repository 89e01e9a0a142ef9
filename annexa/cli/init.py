"""`annexa init`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.output import say

CONFIG = """\
# annexa's configuration. Every option is documented in config.example.yaml; `annexa doctor` checks this file.
company: {company}
state: sqlite:///annexa.db     # or postgresql+psycopg://…
evidence: ./evidence
packs: [.]                     # this folder's checks/ collectors/ mappings/ soa/ over the built-in ones

sources: {{}}
#  okta: {{collector: okta, url: "https://example.okta.com", token: "env:OKTA_TOKEN"}}
#  code: {{collector: github, organisation: example, token: "env:GITHUB_TOKEN"}}
#  aws:  {{collector: aws, regions: [eu-west-1]}}
#  people: {{collector: files, table: person, path: exports/people.csv, columns: {{id: Employee No, email: Mail}}}}
"""

STATEMENT = """\
# The Statement of Applicability (ISO/IEC 27001:2022, 6.1.3 d). Every control of Annex A counts as applicable and not
# implemented until you say otherwise here; the built-in soa/statement.yaml shows a complete example.
statement:
  defaults: {applicable: true, reasons: [risk], implementation: not_implemented, owner: null}
  controls: {}
  #  A.5.17:
  #    implementation: implemented
  #    owner: Head of IT
  #    justification: People and services sign in to everything we run on.
  #    documents: [ISP-05 Access control policy]
"""

IGNORE = "annexa.db*\nannexa.key\nevidence/\n*.token\n"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--company", default="Example Ltd", show_default=True, help="The organisation's name.")
def command(folder: Path, company: str) -> None:
    """Write a config.yaml and an empty pack to start from. Nothing that exists is touched.

    \b
    annexa init acme --company "Acme GmbH" && cd acme && annexa doctor
    """
    from annexa.errors import UsageError

    files = {
        folder / "config.yaml": CONFIG.format(company=_quoted(company)),
        folder / "soa" / "statement.yaml": STATEMENT,
        folder / ".gitignore": IGNORE,
    }
    existing = [str(path) for path in files if path.exists()]
    if existing:
        raise UsageError(f"{', '.join(existing)} is already there: nothing was written", remedy="Name another folder.")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        say(f"wrote {path}")
    for name in ("checks", "collectors", "mappings"):
        (folder / name).mkdir(exist_ok=True)
    say("\nname your sources in config.yaml, then: annexa doctor; annexa scan --dry-run; annexa scan")


def _quoted(text: str) -> str:
    """The text as a YAML scalar that means it literally."""
    import json

    return json.dumps(text, ensure_ascii=False)
