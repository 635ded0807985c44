"""Commands of a person's own field mapping: shown, exported as JSON, and set from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from integration import json_text
from integration.cli import console
from integration.errors import IntegrationError, SettingError
from integration.mapping.own_checks import describe, remarks
from integration.models.audit import AuditAction
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors, field_list, mapping_versions
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.settings import MappingRow
from integration.settings.mapping import AS_SHOWN, rows_of

#: A file with more is no mapping: a hundred rows of the greatest length have less.
FILE_MAX_BYTES = 2_000_000


@click.group(name="field-mapping")
def field_mapping() -> None:
    """Show, export and set which values of the store go to which fields of Mautic."""


@field_mapping.command()
@console.connector_argument
@console.as_json
def show(connector_id: int, as_json: bool) -> None:
    """Show the rows, with what is to be said of each; --json is what `set` takes."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        rows = services.modules(connector).mapping.rows
        fields = fields_from_json(connector.fields or [])
    listed = [
        {
            "record": row.kind,
            "mautic_field": row.alias,
            "value": describe(row),
            "remark": " ".join(each.sentence for each in remarks(row, fields)),
        }
        for row in rows
    ]
    columns = ("record", "mautic_field", "value", "remark")
    text = console.table(listed, columns) if listed else "There is no row; the usual fields are sent."
    console.show([row.exported() for row in rows], as_json=as_json, text=text)


@field_mapping.command(name="set")
@console.connector_argument
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@console.as_json
def set_rows(connector_id: int, file: Path, as_json: bool) -> None:
    """Set all rows from a JSON FILE as `show --json` prints it; checked as on the page, kept as a version."""
    given = _read(file)
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        try:
            connector = field_list.look(services, connector)
        except IntegrationError as error:
            click.echo(f"Mautic does not tell its fields ({error.sentence}) The last list is used.", err=True)

        def audit(session: Session, diff: Diff) -> None:
            entity = f"field mapping of {connector.name}"
            console.record(services, session, connector, AuditAction.UPDATED, entity, diff)

        changes = {"mapping.rows": list(_rows(given))}
        diff = connectors.configure(services, connector_id, changes, audit=audit, author=console.actor())
    lines = [f"{key.removeprefix('mapping.')}: {before} -> {after}" for key, (before, after) in diff.items()]
    console.show(diff, as_json=as_json, text="\n".join(lines) or "Nothing has changed.")


def _rows(given: Any) -> tuple[MappingRow, ...]:
    if not isinstance(given, list):
        raise SettingError("FILE", "The file has no list of rows.", AS_SHOWN)
    return rows_of(given)


def _read(file: Path) -> Any:
    content = console.content(file, FILE_MAX_BYTES + 1)
    if len(content) > FILE_MAX_BYTES:
        raise SettingError("FILE", f"{file} is too large for a mapping.", "Give the file of the rows.")
    try:
        return json_text.loads(content)
    except ValueError as error:
        raise SettingError("FILE", f"{file} is not JSON.", AS_SHOWN) from error


@field_mapping.command()
@console.connector_argument
@console.as_json
def versions(connector_id: int, as_json: bool) -> None:
    """List the versions, the newest first, with what each changed."""
    with console.opened() as services:
        zone = console.zone(services, connector_id)
        with services.db.read() as session:
            rows = [_version(shown) for shown in mapping_versions.listed(session, connector_id)]
    console.show(rows, as_json=as_json, text=console.table(rows, ("version", "at", "author", "changes"), zone))


def _version(shown: mapping_versions.Shown) -> dict[str, Any]:
    one = shown.version
    changes = "; ".join(f"{name}: {before} -> {after}" for name, (before, after) in shown.changes.items())
    return {"version": one.number, "at": one.at.isoformat(), "author": one.author, "changes": changes}


COMMANDS = (field_mapping,)
