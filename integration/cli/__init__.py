"""The console command `woo-mautic`: the same functions as the pages, from the command line.

Exit codes: 0 done, 1 something failed (and it was said), 2 wrong usage.
"""

from __future__ import annotations

import sys

import click

from integration import heap
from integration.cli import (
    alert_groups,
    audit,
    backups,
    connecting,
    console,
    dead_letters,
    diagnose,
    field_mapping,
    leaving,
    logs,
    people,
    pushing,
    reconciling,
    rotating,
    runs,
    serving,
    settings_files,
    states,
    storage,
    syncing,
    tokens,
    users,
)
from integration.errors import IntegrationError
from integration.field_text import visible


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def root() -> None:
    """Keep a WooCommerce store and a Mautic instance in step."""


_MODULES = (
    serving,
    connecting,
    field_mapping,
    settings_files,
    states,
    syncing,
    runs,
    pushing,
    logs,
    dead_letters,
    people,
    alert_groups,
    storage,
    reconciling,
    diagnose,
    users,
    tokens,
    audit,
    backups,
    leaving,
    rotating,
)
for module in _MODULES:
    for command in module.COMMANDS:
        root.add_command(command)


def main() -> None:
    """Run the command; an error is one sentence on standard error and exit code 1, never a stack trace."""
    heap.keep_small()
    try:
        root.main(prog_name="woo-mautic", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2 if isinstance(error, click.UsageError) else 1)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except IntegrationError as error:
        for each in (error, *getattr(error, "others", ())):
            click.echo(visible(f"Error: {each}"), err=True)
        sys.exit(1)
    except Exception as error:
        click.echo(f"Error: {console.broken(error)}", err=True)
        sys.exit(1)
