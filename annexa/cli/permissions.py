"""`annexa permissions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from annexa.cli.options import DEFAULT, chosen, config_option, json_option, mounted, pack_option
from annexa.cli.output import emit, say, table

if TYPE_CHECKING:
    from annexa.packs import Packs


@click.command()
@config_option
@pack_option
@json_option
@click.argument("collector")
def command(config_file: Path, packs: tuple[Path, ...], as_json: bool, collector: str) -> None:
    """The least permissions that a collector needs, in the vendor's words; for AWS, the IAM policy that grants them.

    What only some configurations need (AWS's log files) is counted where a configured source asks for it.

    \b
    annexa permissions aws > annexa-read-only.json
    annexa permissions okta
    """
    content = mounted(config_file, packs)
    found = chosen(content, collector)
    settings = _configured(config_file, collector, content)
    needed = {"discovery": list(found.discover_permissions)}
    for name, fetch in found.fetches.items():
        if fetch.when is None or any(fetch.when(one) for one in settings):
            needed[name] = list(fetch.permissions)
    everything = sorted({permission for permissions in needed.values() for permission in permissions})
    if as_json:
        emit({"collector": collector, "permissions": everything, "by_fetch": needed})
    elif found.grant is not None:
        say(found.grant(everything, settings))
    else:
        table(("fetch", "needs"), ((name, ", ".join(p)) for name, p in needed.items() if p))


def _configured(config_file: Path, collector: str, packs: Packs) -> list[Any]:
    """The settings of the configured sources of a collector; none without a configuration."""
    from annexa.config import load

    if not config_file.exists() and config_file == DEFAULT:
        return []
    sources = load(config_file).sources.values()
    return [packs.configured(source)[1] for source in sources if source.collector == collector]
