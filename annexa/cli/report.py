"""`annexa report`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.options import config_option, controls, json_option, kpis, opened, pack_option
from annexa.cli.output import clean, emit, say


@click.command()
@config_option
@pack_option
@json_option
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("annexa-report.html"),
    show_default="./annexa-report.html",
    help="Where to write the page; an existing file is replaced.",
)
def command(config_file: Path, packs: tuple[Path, ...], as_json: bool, output: Path) -> None:
    """One self-contained HTML page: the statement, effectiveness, KPIs, nonconformities, evidence and its age.

    What could not be seen stands first. The page asks no server for anything and can be mailed, archived and printed.

    \b
    annexa report
    annexa report -o out/report.html
    """
    import hashlib

    from annexa import clock
    from annexa.reports.html import render
    from annexa.reports.model import build
    from annexa.reports.saving import save

    with opened(config_file, packs) as store:
        report = build(
            store.session,
            company=store.config.company,
            controls=controls(store.packs),
            kpis=kpis(store.packs),
            now=clock.now(),
            configured=store.config.sources,
            example=store.packs.is_example(),
        )
    page = render(report).encode()
    save(output, page)
    if as_json:
        emit({"report": str(output), "bytes": len(page), "sha256": hashlib.sha256(page).hexdigest()})
    else:
        say(clean(output))
