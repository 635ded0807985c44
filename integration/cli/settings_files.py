"""Commands that take settings away, bring them in from a file, and set them back to their defaults (P89)."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy.orm import Session

from integration.cli import console
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors, settings_import
from integration.pipeline.services import Services
from integration.settings import PAGES, settings_file
from integration.settings.wootic import Taken


@click.group(name="settings")
def settings() -> None:
    """Export, import and reset the settings of a connector's modules."""


@settings.command()
@console.connector_argument
def export(connector_id: int) -> None:
    """Print a connector's settings as JSON, without secrets; `import` takes it."""
    with console.opened() as services:
        exported = connectors.exported(services, console.connector(services, connector_id))
    console.show(exported, as_json=True, text="")


@settings.command(name="import")
@console.connector_argument
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--connection", is_flag=True, help="Take over Mautic's address, user and password too, if they are in it."
)
@click.option("--preview", is_flag=True, help="Show what would change, and change nothing.")
@console.yes_option
@console.as_json
def import_(connector_id: int, file: Path, connection: bool, preview: bool, yes: bool, as_json: bool) -> None:
    """Import settings from FILE: an export, or the options of the plugin Wootic as JSON, CSV or SQL rows."""
    taken = settings_file.read(console.content(file, settings_file.FILE_MAX_BYTES + 1))
    if not connection:
        taken = Taken(taken.changes, {}, taken.unused)
    _apply(connector_id, taken, preview=preview, yes=yes, as_json=as_json)


@settings.command()
@console.connector_argument
@click.option("--module", type=click.Choice(list(PAGES)), help="Only this module.")
@click.option("--preview", is_flag=True, help="Show what would change, and change nothing.")
@console.yes_option
@console.as_json
def reset(connector_id: int, module: str | None, preview: bool, yes: bool, as_json: bool) -> None:
    """Set all settings, or those of one module, back to their defaults."""
    _apply(connector_id, settings_file.defaults(module or ""), preview=preview, yes=yes, as_json=as_json)


def _apply(connector_id: int, taken: Taken, *, preview: bool, yes: bool, as_json: bool) -> None:
    """Show what would change, ask, and save it."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        shown = settings_import.preview(services, connector, taken)
        diff = {**shown.diff, **shown.connection}
        console.show(diff, as_json=as_json, text=_lines(diff, taken))
        if preview or not diff:
            return
        console.confirmed(yes, f"Change these settings of “{connector.name}”?")
        _save(services, connector, shown)


def _save(services: Services, connector: Connector, shown: settings_import.Preview) -> None:
    def audit(session: Session, diff: Diff) -> None:
        console.record(services, session, connector, AuditAction.UPDATED, f"settings of {connector.name}", diff)

    taken = shown.taken
    settings_import.save(services, connector.id, taken, shown.mark, audit=audit, author=console.actor())
    if shown.connection:
        settings_import.connect(services, connector.id, taken, audit=audit)


def _lines(diff: Diff, taken: Taken) -> str:
    lines = [f"{key}: {before} -> {after}" for key, (before, after) in diff.items()] or ["Nothing would change."]
    return "\n".join([*lines, *(f"not used: {name}" for name in taken.unused)])


COMMANDS = (settings,)
