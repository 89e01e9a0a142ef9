"""The sample company's configuration, as a person would write it, and the credentials of its simulated systems."""

from __future__ import annotations

import shutil
from pathlib import Path

CONFIG = """\
company: Example Ltd
state: sqlite:///annexa.db
evidence: ./evidence
packs: [./pack]
ledger: {{origin: example.com/isms}}

sources:
  aws:
    collector: aws
    regions: [eu-west-1, us-east-1]
    endpoint_url: {aws}
    access_key_id: file:secrets/aws-key-id
    secret_access_key: file:secrets/aws-key
    log_buckets: [{log_bucket}]
  code: {{collector: github, organisation: example, url: "{github}", token: "file:secrets/github"}}
  okta: {{collector: okta, url: "{okta}", token: "file:secrets/okta"}}
  awareness: {{collector: knowbe4, url: "{knowbe4}", token: "file:secrets/knowbe4"}}
  people:
    collector: files
    table: person
    path: exports/people.csv
    columns: {{id: Employee No, email: Mail, name: Name, department: Department, manager: Manager,
              kind: Type, started_at: Start, left_at: End}}
  training:
    collector: files
    table: training
    path: exports/training.csv
    columns: {{email: Mail, course: Course, assigned_at: Assigned, due_at: Due, completed_at: Completed}}
  incidents:
    collector: files
    table: incident
    path: exports/incidents.csv
    columns: {{id: Number, title: Title, category: Category, severity: Severity, state: State, occurred_at: Occurred,
              detected_at: Detected, contained_at: Contained, resolved_at: Resolved, reporter: Reporter}}
  owners:
    collector: files
    table: account_owner
    path: exports/account-owners.csv
    columns: {{system: System, login: Login, email: Mail}}
"""

SECRETS = {
    "aws-key-id": "testing",
    "aws-key": "testing",
    "github": "github-owner-token",
    "okta": "okta-super-token",
    "knowbe4": "knowbe4-token",
}


def write(folder: Path, urls: dict[str, str], log_bucket: str) -> Path:
    """config.yaml, the secrets it refers to, and a pack with the company's statement; gives config.yaml's path."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, secret in SECRETS.items():
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(secret, encoding="utf-8")
    statement = folder / "pack" / "soa" / "statement.yaml"
    statement.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile("soa/statement.yaml", statement)
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(**urls, log_bucket=log_bucket), encoding="utf-8")
    return path
