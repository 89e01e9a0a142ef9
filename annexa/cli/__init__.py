"""The command line: a shell without rules.

A command's module is imported only when the command runs, so `annexa --help` answers at once. Exit codes: 0 fine, 1
control failures at or above the bar, 2 collection or check errors, 3 stale or incomplete, 64 and above usage and
configuration (sysexits.h).
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from annexa import __version__

COMMANDS = {
    "init": "Write a config.yaml and an empty pack to start from.",
    "doctor": "Check configuration, packs and every source, read-only.",
    "scan": "Collect, seal, assess, decide and record.",
    "status": "The latest run, what it could not see, and what is open.",
    "results": "The verdicts of the latest assessment.",
    "soa": "The Statement of Applicability, with derived effectiveness.",
    "controls": "The controls of Annex A and what judges them.",
    "kpi": "Key performance indicators: values and series.",
    "nc": "Nonconformities.",
    "evidence": "What was collected, when, how completely, and its bytes.",
    "checks": "The checks: list, show, test.",
    "collectors": "The collectors and the tables they fill.",
    "permissions": "The least permissions that the configured sources need.",
    "report": "One self-contained HTML page of all this.",
}


class Commands(click.Group):
    """The commands, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"annexa.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="annexa")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
def annexa(debug: bool) -> None:
    """Evidence, verdicts and ISMS records for ISO/IEC 27001:2022 Annex A.

    \b
    annexa init                  # config.yaml and an empty pack
    annexa doctor                # does everything work, is anything missing?
    annexa scan                  # the main job, from cron or CI
    annexa soa show A.5.17       # what stands behind a control
    """


def main() -> None:
    """Entry point of the `annexa` command."""
    from annexa.cli.output import clean
    from annexa.errors import AnnexaError

    try:
        sys.exit(annexa.main(standalone_mode=False) or 0)
    except AnnexaError as problem:
        if "--debug" in sys.argv:
            raise
        for line in f"error: {problem}".splitlines():
            click.secho(clean(line), fg="red", err=True)
        click.echo(f"  {clean(problem.remedy)}", err=True)
        sys.exit(problem.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(64)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was recorded until now stays", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
