"""Commands of storage: how much is kept, for how long, and other numbers of days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import select

from integration.cli import console
from integration.errors import SettingError
from integration.field_errors import titles
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.organisation import Organisation
from integration.operations.retention import Keep, save, sizes
from integration.pipeline.services import Services

_TITLES = titles(Keep)


@click.group()
def storage() -> None:
    """Show how much is kept and say for how long; `clear-log` clears the Sync Log at once."""


@storage.command()
@console.organisation_option
@console.as_json
def show(organisation: str | None, as_json: bool) -> None:
    """Show the rows of an organisation, for how long they are kept, and what the installation takes on disk."""
    with console.opened() as services:
        owner = console.organisation(services, organisation)
        stored, whole = _stored(services, owner)
    keep = Keep.of(owner).model_dump()
    rows = [{"kind": each.label, "rows": each.rows, "kept": ", ".join(each.keep)} for each in stored]
    numbers = [{"name": name, "value": value, "meaning": _TITLES[name]} for name, value in keep.items()]
    text = f"{console.table(rows, ('kind', 'rows', 'kept'))}\n\n{console.table(numbers, ('name', 'value', 'meaning'))}"
    disk = {"database_bytes": whole.database, "files_bytes": whole.files}
    said = f"\n\nDatabase: {whole.database:,} bytes. Files: {whole.files:,} bytes."
    console.show({"rows": rows, "keep": keep, **disk}, as_json=as_json, text=text + said)


def _stored(services: Services, owner: Organisation) -> tuple[list[sizes.Stored], sizes.Sizes]:
    with services.db.read() as session:
        mine = session.scalars(select(Connector.id).where(Connector.organisation_id == owner.id)).all()
        whole = sizes.of_installation(session, services.deployment.instance_path)
        return sizes.rows_of(session, owner.id, mine), whole


@storage.command(name="set")
@click.argument("assignments", metavar="NAME=NUMBER...", nargs=-1, required=True)
@console.organisation_option
@console.yes_option
@console.as_json
def set_numbers(assignments: Sequence[str], organisation: str | None, yes: bool, as_json: bool) -> None:
    """Keep rows for other numbers of days, such as errors=30; `show` names them all.

    What is older than a smaller number leaves for good within the hour, so that is asked first.
    """
    values = console.assigned(assignments)
    if unknown := [name for name in values if name not in _TITLES]:
        raise SettingError(unknown[0], f"There is no number “{unknown[0]}”.", f"There are {', '.join(_TITLES)}.")
    with console.opened() as services:
        owner = console.organisation(services, organisation)
        before, after = Keep.of(owner).model_dump(), Keep.of(owner).with_values(values)
        if less := [name for name, value in after.model_dump().items() if value < before[name]]:
            which = ", ".join(_TITLES[name] for name in less)
            console.confirmed(yes, f"What is older leaves for good within the hour: {which}. Keep less?")
        diff = _saved(services, owner, values)
    text = "\n".join(f"{name}: {old} -> {new}" for name, (old, new) in diff.items()) or "Nothing has changed."
    console.show(diff, as_json=as_json, text=text)


def _saved(services: Services, owner: Organisation, values: dict[str, str]) -> dict[str, list[Any]]:
    with services.db.write() as session:
        row = session.get_one(Organisation, owner.id)
        diff = save(session, row, Keep.of(row).with_values(values))
        if diff:
            console.record_of(services, session, owner.id, AuditAction.UPDATED, "retention", diff)
    return diff


COMMANDS: tuple[click.Command, ...] = (storage,)
