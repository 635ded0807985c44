"""Commands for the database as a whole: back it up, put a backup back, and change its schema."""

from __future__ import annotations

from pathlib import Path

import click

from integration.cli import console
from integration.clock import Clock
from integration.config import load
from integration.models import migrate
from integration.operations import backup as backups
from integration.operations.backup import Restored
from integration.operations.support.application_log import configure_logging
from integration.pipeline import installation

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@console.as_json
def backup(file: Path, as_json: bool) -> None:
    """Write a backup of the database to FILE, also while woo-mautic runs; in a folder it is named by the time.

    It holds stored credentials encrypted and not the SECRET_KEY: keep a copy of that elsewhere.
    """
    deployment = load()
    configure_logging(deployment)
    made = backups.make(deployment, Clock(), file)
    if made.key_is_lost:
        click.echo(f"Warning: {installation.KEY_LOST}", err=True)
    told = made.manifest
    text = (
        f"{made.file}\n{sum(told.rows.values()):,} rows of {len(told.rows)} tables, schema {told.schema_revision}. "
        f"To restore it you need the SECRET_KEY with the fingerprint {told.keys[0]}."
    )
    console.show({"file": str(made.file), **told.model_dump(mode="json")}, as_json=as_json, text=text)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--other-key", is_flag=True, help="Although its SECRET_KEY is lost: credentials must be entered anew.")
@console.as_json
def restore(file: Path, other_key: bool, as_json: bool) -> None:
    """Put the backup FILE back into a database that is empty; nothing is ever overwritten.

    All connectors are read-only then, until `woo-mautic confirm-store ID` says whether they go on.
    """
    deployment = load()
    configure_logging(deployment)
    done = backups.restore(deployment, Clock(), file, any_key=other_key, actor=console.actor())
    told = {"connectors": dict(done.connectors), **done.manifest.model_dump(mode="json")}
    console.show(told, as_json=as_json, text=_restored(done))


def _restored(done: Restored) -> str:
    at, names = done.manifest.made_at, done.connectors
    lines = [f"The backup of {at:%-d %B %Y, %H:%M} UTC is back: {sum(done.manifest.rows.values()):,} rows."]
    if names:
        lines += [
            "Nothing is sent yet: every connector is read-only. If the installation that was backed up is stopped for",
            "good, let each go on; what may have been sent since the backup is looked up in Mautic first:",
            *(f"  woo-mautic confirm-store {number} --same    # {name}" for number, name in names.items()),
            "If this only serves to look at the backup, say --copy instead of --same.",
        ]
    lines.append("Whom you erased since the backup is in it again: erase them anew (see their receipts).")
    return "\n".join(lines)


@click.command(name="migrate")
@click.option("--to", "target", metavar="SCHEMA", help="An older schema, before an older version is installed.")
@console.yes_option
@console.as_json
def change_schema(target: str | None, yes: bool, as_json: bool) -> None:
    """Bring the database to this version's schema, as every start does, or back to that of an older version.

    What only the newer schema holds is lost on the way back: make a backup before.
    """
    deployment = load()
    configure_logging(deployment)
    if target is None:
        migrate.upgrade(deployment.database_url)
    else:
        console.confirmed(yes, f"Take the database back to the schema {target}, and lose what only newer ones hold?")
        with migrate.at(deployment.database_url) as database:
            backups.check_stopped(deployment, database)
        migrate.downgrade(deployment.database_url, target)
    number = migrate.number_of(deployment.database_url)
    console.show({"schema": number}, as_json=as_json, text=f"The database has the schema {number}.")


COMMANDS: tuple[click.Command, ...] = (backup, restore, change_schema)
