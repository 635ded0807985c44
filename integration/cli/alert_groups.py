"""Commands of the groups that are told of alerts: who they are, what they are told, and a message to try them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.cli import console
from integration.errors import SettingError
from integration.field_errors import titles
from integration.models.alert import AlertGroup
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.organisation import Organisation
from integration.operations.monitoring.alerts import CAUSES, editing, groups, notices
from integration.operations.monitoring.alerts.group_settings import GroupSettings
from integration.operations.monitoring.alerts.wording import one_line
from integration.pipeline.services import Services

_COLUMNS = ("id", "organisation", "name", "emails", "webhook", "connectors", "causes", "digest")
_ALL = "all"
_group = click.argument("group_id", metavar="GROUP", type=int)
_HELP = {name: field.description for name, field in GroupSettings.model_fields.items()}


def _values(command: Any) -> Any:
    """Add an option for each value of a group; what is left out stays as it is."""
    for option in reversed(
        (
            click.option("--emails", metavar="ADDRESSES", help="With commas between them; empty for none."),
            click.option("--webhook", metavar="URL", help="Where a chat takes messages; it is stored encrypted."),
            click.option("--forget-webhook", is_flag=True, help="Take the stored webhook away."),
            click.option("--connectors", metavar="IDS", help="With commas between them, or “all”, later ones too."),
            click.option("--causes", metavar="CAUSES", help=f"With commas, or “all”: {', '.join(CAUSES)}."),
            click.option("--digest/--no-digest", default=None, help=_HELP["digest"]),
        )
    ):
        command = option(command)
    return command


@click.group(name="alert-groups")
def alert_groups() -> None:
    """Say who is told of what is wrong."""


@alert_groups.command(name="list")
@console.as_json
def list_groups(as_json: bool) -> None:
    """List the groups of all organisations; of a webhook only the host is shown."""
    query = select(AlertGroup, Organisation.name).join(Organisation, Organisation.id == AlertGroup.organisation_id)
    with console.opened() as services, services.db.read() as session:
        found = session.execute(query.order_by(AlertGroup.id)).tuples().all()
        rows = [_row(services, *each) for each in found]
    listed = [{name: _told(value) for name, value in row.items()} for row in rows]
    text = console.table(listed, _COLUMNS) if rows else "There is no group, so nobody is told of anything."
    console.show(rows, as_json=as_json, text=text)


def _row(services: Services, group: AlertGroup, organisation: str) -> dict[str, Any]:
    try:
        hook = groups.masked(groups.webhook_of(services.vault, group))
    except SettingError:
        hook = "cannot be read with this SECRET_KEY"
    return {
        "id": group.id,
        "organisation": organisation,
        "name": group.name,
        "emails": group.emails,
        "webhook": hook,
        "connectors": group.connector_ids or _ALL,
        "causes": group.causes or _ALL,
        "digest": group.digest,
    }


def _told(value: Any) -> Any:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else shown


@alert_groups.command()
@click.argument("name")
@_values
@console.organisation_option
@console.as_json
def add(name: str, organisation: str | None, as_json: bool, **typed: Any) -> None:
    """Make a group called NAME; without --connectors and --causes it is told of everything."""
    with console.opened() as services:
        owner = console.organisation(services, organisation)
        with services.db.write() as session:
            group = editing.new_group(services.clock.now(), owner.id)
            _save(services, session, group, {**typed, "name": name}, AuditAction.CREATED)
            number = group.id
    console.show({"id": number}, as_json=as_json, text=str(number))


@alert_groups.command()
@_group
@click.option("--name", help="Another name.")
@_values
@console.as_json
def change(group_id: int, as_json: bool, **typed: Any) -> None:
    """Change what is given of a group, and leave the rest as it is."""
    with console.opened() as services, services.db.write() as session:
        diff = _save(services, session, _found(session, group_id), typed, AuditAction.UPDATED)
    text = "\n".join(f"{name}: {each}" for name, each in diff.items()) or "Nothing has changed."
    console.show(diff, as_json=as_json, text=text)


def _save(
    services: Services, session: Session, group: AlertGroup, typed: dict[str, Any], action: AuditAction
) -> dict[str, Any]:
    mine = session.scalars(select(Connector.id).where(Connector.organisation_id == group.organisation_id)).all()
    diff = editing.save(services, session, group, _merged(group, typed), mine)
    if diff:
        _record(services, session, group, action, diff)
    return diff


def _merged(group: AlertGroup, typed: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a group with those that were given; raises UsageError for a list that names nothing."""
    stored = {name: getattr(group, name) for name in titles(GroupSettings) if "webhook" not in name}
    given = {name: value for name, value in typed.items() if value is not None}
    for name, key in (("connectors", "connector_ids"), ("causes", "causes")):
        if name in given:
            given[key] = _listed(name, given.pop(name))
    return {**stored, "emails": ", ".join(stored["emails"]), **given}


def _listed(option: str, text: str) -> Sequence[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise click.UsageError(f"--{option} names nothing; write “all” for all of them.")
    return [] if parts == [_ALL] else parts


@alert_groups.command()
@_group
@console.yes_option
def delete(group_id: int, yes: bool) -> None:
    """Delete a group and the messages that still wait for it."""
    with console.opened() as services:
        with services.db.read() as session:
            name = _found(session, group_id).name
        console.confirmed(yes, f"Delete the group “{name}”?")
        with services.db.write() as session:
            group = _found(session, group_id)
            session.delete(group)
            _record(services, session, group, AuditAction.DELETED, {"emails": [group.emails, None]})
    click.echo(f"The group “{name}” is deleted; it is told nothing more.")


@alert_groups.command()
@_group
def test(group_id: int) -> None:
    """Owe a group a test message; the server, which has to run, sends it within ten seconds."""
    with console.opened() as services, services.db.write() as session:
        group = _found(session, group_id)
        notices.tell_test(services, session, group)
        name = group.name
    click.echo(f"A test message to “{name}” is on its way. The page Alerts shows what came of it.")


def _found(session: Session, group_id: int) -> AlertGroup:
    group = session.get(AlertGroup, group_id)
    if group is None:
        raise SettingError("GROUP", f"There is no group {group_id}.", "See `woo-mautic alert-groups list`.")
    return group


def _record(services: Services, session: Session, group: AlertGroup, action: AuditAction, diff: dict[str, Any]) -> None:
    entity = f"alert group {one_line(group.name, 100)}"
    console.record_of(services, session, group.organisation_id, action, entity, diff)


COMMANDS: tuple[click.Command, ...] = (alert_groups,)
