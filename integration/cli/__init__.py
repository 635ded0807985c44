"""The console command `woo-mautic`: the same functions as the pages, from the command line.

Exit codes: 0 done, 1 something failed (and it was said), 2 wrong usage.
"""

from __future__ import annotations

import sys

import click

from integration import heap
from integration.cli.command_modules import Commands
from integration.errors import IntegrationError
from integration.field_text import visible


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def root() -> None:
    """Keep a WooCommerce store and a Mautic instance in step."""


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
        # It stands on all that a command does, and the command has loaded it.
        from integration.cli import console

        click.echo(f"Error: {console.broken(error)}", err=True)
        sys.exit(1)
