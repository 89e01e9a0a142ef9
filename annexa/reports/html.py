"""A report as one HTML page that needs nothing else: no request leaves it, no script can enter it.

Rules:
- Every value is escaped by the template engine, and its invisible characters are named (`text.visible`). Only the
  page's own CSS, script and SVG go in as they are.
- The Content-Security-Policy allows the page's one style sheet and one script, each by its SHA-256, and nothing else:
  no image, font, frame, form or connection (W3C CSP Level 3).
- A link leads to a place on the page. Addresses that evidence or documents name are text.
- The same report gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup

from annexa import clock
from annexa.reports import text
from annexa.reports.bar import bar
from annexa.reports.marks import mark
from annexa.reports.model import Report
from annexa.reports.sparkline import sparkline
from annexa.reports.standing import STATUSES
from annexa.reports.summary import EFFECTIVENESS

TEMPLATES = Path(__file__).parent / "templates"


def render(report: Report) -> str:
    """The page."""
    css, script = _asset("report.css"), _asset("report.js")
    return (
        _engine(report.now)
        .get_template("report.html.j2")
        .render(
            r=report,
            s=report.summary,
            css=css,
            script=script,
            policy=_policy(css, script),
            known_controls={row.view.control for theme in report.themes for row in theme.controls},
            known_checks={row.result.check for row in report.checks},
        )
    )


def _policy(css: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_source(css)}'; script-src '{_source(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _engine(now: datetime) -> Environment:
    engine = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters.update(when=text.when, day=text.day, clip=text.clipped, prose=text.prose, words=words)
    engine.globals.update(mark=mark, bar=bar, sparkline=sparkline, age=partial(text.age, now=now))
    engine.globals.update(EFFECTIVENESS=EFFECTIVENESS, LISTED=STATUSES, now=clock.text(now))
    return engine


def shown(value: Any) -> Any:
    """What the template engine writes for a value: text with its invisible characters named, whole numbers as they are.

    Raises:
        TypeError: A template writes something else, such as None: the page would say what nobody meant.
    """
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return text.visible(value)
    if isinstance(value, Undefined):
        return str(value)  # of an inline `if` without `else`: nothing; of a misspelt name: StrictUndefined raises
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    raise TypeError(f"a report template writes a value of type {type(value).__name__}")


def words(value: str) -> str:
    """An identifier as words: `not_implemented` is `not implemented`."""
    return value.replace("_", " ")
