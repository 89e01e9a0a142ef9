"""`annexa permissions`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.options import config_option, json_option, mounted, pack_option
from annexa.cli.output import emit, say, table


@click.command()
@config_option
@pack_option
@json_option
@click.argument("collector")
def command(config_file: Path, packs: tuple[Path, ...], as_json: bool, collector: str) -> None:
    """The least permissions that a collector needs, in the vendor's words; for AWS, the IAM policy that grants them.

    \b
    annexa permissions aws > annexa-read-only.json
    annexa permissions okta
    """
    found = mounted(config_file, packs).collector(collector)
    needed = {"discovery": found.discover_permissions, **{name: f.permissions for name, f in found.fetches.items()}}
    everything = sorted({permission for permissions in needed.values() for permission in permissions})
    if as_json:
        emit({"collector": collector, "permissions": everything, "by_fetch": needed})
    elif found.grant is not None:
        say(found.grant(everything))
    else:
        table(("fetch", "needs"), ((name, ", ".join(p)) for name, p in needed.items() if p))
