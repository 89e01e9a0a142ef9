"""`annexa kpi`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.options import config_option, json_option, kpis, opened, pack_option
from annexa.cli.output import clean, emit, say, table


@click.group()
def command() -> None:
    """Key performance indicators (9.1)."""


@command.command("list")
@config_option
@pack_option
@json_option
def list_(config_file: Path, packs: tuple[Path, ...], as_json: bool) -> None:
    """The latest value of each, against its target.

    \b
    annexa kpi list
    """
    from annexa.views import isms

    with opened(config_file, packs) as store:
        series = isms.kpi_series(store.session, last=1)
        known = kpis(store.packs)
    latest = {name: points[-1] for name, points in series.items()}
    if as_json:
        emit(latest)
        return
    rows = (
        (k.id, k.title, number(latest[k.id].value), k.unit, number(k.target), latest[k.id].status, latest[k.id].reason)
        for k in known.values()
        if k.id in latest
    )
    table(("kpi", "title", "value", "unit", "target", "status", "reason"), rows)


@command.command()
@config_option
@pack_option
@json_option
@click.argument("kpi")
def show(config_file: Path, packs: tuple[Path, ...], as_json: bool, kpi: str) -> None:
    """One indicator: what it is for, its formula, and its series.

    \b
    annexa kpi show training-completion
    """
    from annexa.errors import UsageError
    from annexa.views import isms

    with opened(config_file, packs) as store:
        found = kpis(store.packs).get(kpi)
        points = isms.kpi_series(store.session, kpi).get(kpi, [])
    if found is None:
        raise UsageError(f"there is no KPI {kpi}", remedy="`annexa kpi list` names them.")
    if as_json:
        emit({"kpi": found, "series": points})
        return
    say(f"{found.title}: target {number(found.target)} {found.unit}, {found.direction} is better, {found.frequency}")
    say(f"  {clean(found.purpose)}\n\n{found.formula.strip()}\n")
    rows = ((p.measured_at, number(p.value), number(p.numerator), number(p.denominator), p.status) for p in points)
    table(("measured", "value", "numerator", "denominator", "status"), rows)


def number(value: float | None) -> str:
    """A number without needless digits; a dash where nothing was measured."""
    return "-" if value is None else f"{value:g}"
