"""Commands that make, show and change connectors."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.cli import console
from integration.cli.authority_options import authority_option
from integration.cli.secret_options import read_secret, secret_option
from integration.errors import SettingError
from integration.mapping.fields import check as check_fields, needs
from integration.mautic.access import MemoryTokens
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.operations.retention import deletion
from integration.operations.retention.deletion import Deleted
from integration.operations.support import diagnostics
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import (
    connectors,
    field_list,
    fingerprint,
    holds,
    neighbours,
    verified,
    webhook_registration,
)
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.pipeline.services import Services
from integration.settings import keys


@click.command()
@click.option("--name", required=True, help="How the connector is called on the pages.")
@click.option("--store-url", required=True)
@secret_option("store-key", "Consumer key (ck_…).")
@secret_option("store-secret", "Consumer secret (cs_…).")
@authority_option("store")
@click.option("--mautic-url", required=True)
@click.option("--mautic-user", default="")
@secret_option("mautic-password", "Password of --mautic-user.")
@click.option("--mautic-client-id", default="")
@secret_option("mautic-client-secret", "Secret of --mautic-client-id.")
@authority_option("mautic")
@console.as_json
def connect(as_json: bool, name: str, **connection: Any) -> None:
    """Connect a store with a Mautic and print the connector's id."""
    by_user = bool(connection["mautic_user"]) and not connection["mautic_client_id"]
    needed = {"store-key": True, "store-secret": True, "mautic-password": by_user}
    needed["mautic-client-secret"] = bool(connection["mautic_client_id"])
    for secret, is_needed in needed.items():
        connection[secret.replace("-", "_")] = read_secret(connection, secret, needed=is_needed)
    connection["mautic_method"] = _method(connection)
    with console.opened() as services:
        organisation = console.first_organisation(services)

        def audit(session: Session, made: Connector) -> None:
            diff = {"name": ["", made.name], "store_url": ["", made.store_url], "mautic_url": ["", made.mautic_url]}
            console.record(services, session, made, AuditAction.CREATED, f"connector {made.name}", diff)

        made = connectors.create(services, organisation_id=organisation, name=name, audit=audit, **connection)
    console.show({"id": made}, as_json=as_json, text=str(made))


def _method(connection: dict[str, Any]) -> str:
    if connection["mautic_client_id"] and connection["mautic_client_secret"]:
        return "client_credentials"
    if connection["mautic_user"] and connection["mautic_password"]:
        return "basic"
    raise click.UsageError("Give --mautic-user and its password, or --mautic-client-id and its secret.")


@click.command(name="connectors")
@console.as_json
def list_connectors(as_json: bool) -> None:
    """List the connectors."""
    with console.opened() as services, services.db.read() as session:
        rows = [_row(services, session, found) for found in session.scalars(select(Connector).order_by(Connector.id))]
    console.show(
        rows, as_json=as_json, text=console.table(rows, ("id", "name", "state", "store_url", "mautic_url", "held"))
    )


def _row(services: Services, session: Any, found: Connector) -> dict[str, Any]:
    held = "; ".join(hold.sentence for hold in holds.open_holds(session, found.id))
    shown = {name: getattr(found, name) for name in ("id", "name", "state", "store_url", "mautic_url")}
    return shown | {"held": held}


@click.command()
@console.connector_argument
@console.as_json
def check(connector_id: int, as_json: bool) -> None:
    """Test both connections, step by step; exit code 1 when a step fails."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        steps = {"store": _store_steps(services, connector), "mautic": _mautic_steps(services, connector)}
        passed = [side for side, found in steps.items() if not any(step.state == "failed" for step in found)]
        verified.keep(services, connector_id, passed)
        with services.db.read() as session:
            clash = neighbours.clash(session, connector)
    steps["mautic"] += [_clashing(clash, len(steps["mautic"]) + 1)] if clash else []
    rows = [{"side": side, **diagnostics.as_dict(step)} for side, found in steps.items() for step in found]
    text = "\n".join(f"{row['side']:7}{row['number']} {row['state']:8} {row['title']}: {_said(row)}" for row in rows)
    console.show(rows, as_json=as_json, text=text)
    if any(row["state"] == "failed" for row in rows):
        sys.exit(1)


def _said(row: dict[str, Any]) -> str:
    return f"{row['sentence']} {row['hint']}".strip()


def _clashing(clash: neighbours.Clash, number: int) -> diagnostics.Step:
    """Return as a further step that other connectors write the same fields of this Mautic."""
    title = "Name space of this store"
    return diagnostics.Step(number, title, "warning", "name_space_shared", clash.sentence, clash.hint, {}, 0.0)


def _store_steps(services: Services, connector: Connector) -> list[diagnostics.Step]:
    access = services.store_access(connector)
    route = services.route(connector, access.ca)
    return list(
        diagnostics.store_steps(access, route, writes=services.modules(connector).sync.webhooks, clock=services.clock)
    )


def _mautic_steps(services: Services, connector: Connector) -> list[diagnostics.Step]:
    access = services.mautic_access(connector)
    wanted = needs(services.modules(connector))
    route = services.route(connector, access.ca)
    return list(diagnostics.mautic_steps(access, MemoryTokens(), wanted, services.clock, route))


_KEYS = "\n".join(f"  {key} = {value!r}" for key, value in keys().items())


@click.command(epilog=f"\b\nThe keys with their defaults:\n{_KEYS}")
@console.connector_argument
@click.argument("assignments", metavar="KEY=VALUE...", nargs=-1, required=True)
@console.as_json
def configure(connector_id: int, assignments: Sequence[str], as_json: bool) -> None:
    """Change module settings, such as orders.notes=yes or orders.statuses=completed,refunded."""
    changes = console.assigned(assignments)
    with console.opened() as services:
        connector = console.connector(services, connector_id)

        def audit(session: Session, diff: Diff) -> None:
            console.record(services, session, connector, AuditAction.UPDATED, f"settings of {connector.name}", diff)

        diff = connectors.configure(services, connector_id, changes, audit=audit, author=console.actor())
    text = "\n".join(f"{key}: {before} -> {after}" for key, (before, after) in diff.items()) or "Nothing has changed."
    console.show(diff, as_json=as_json, text=text)


@click.command()
@console.connector_argument
@click.option("--create", is_flag=True, help="Create the fields that are missing.")
@console.as_json
def fields(connector_id: int, create: bool, as_json: bool) -> None:
    """Show the contact fields that the modules need, and create missing ones; exit code 1 when one is not right."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        client = services.open_mautic(connector)

        def audit(session: Session, made: Sequence[str]) -> None:
            diff = {"fields": [None, list(made)]}
            console.record(services, session, connector, AuditAction.FIELDS_CREATED, "Mautic fields", diff)

        if create:
            field_list.complete(services, connector, client, audit=audit)
            connector = console.connector(services, connector_id)
        else:
            connector = field_list.refresh(services, connector, client, anew=True)
        states = check_fields(needs(services.modules(connector)), fields_from_json(connector.fields))
    rows = [{"alias": s.need.alias, "type": s.need.type, "state": s.state, "sentence": s.sentence} for s in states]
    console.show(rows, as_json=as_json, text=console.table(rows, ("alias", "type", "state", "sentence")))
    if any(row["state"] != "present" for row in rows):
        sys.exit(1)


@click.command()
@console.connector_argument
@click.option("--register", "act", flag_value="register", help="Register the webhooks in the store.")
@click.option("--status", "act", flag_value="status", help="Ask the store how they are.")
@click.option("--remove", "act", flag_value="remove", help="Remove them from the store.")
@console.yes_option
@console.as_json
def webhooks(connector_id: int, act: str | None, yes: bool, as_json: bool) -> None:
    """Register, look at or remove the store's webhooks."""
    if act is None:
        raise click.UsageError("Give --register, --status or --remove.")
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        if act == "remove":
            console.confirmed(yes, f"Remove the webhooks of “{connector.name}” from the store?")

        def audit(session: Session, diff: Diff) -> None:
            done = {"register": "webhooks registered", "remove": "webhooks removed"}[act]
            console.record(services, session, connector, AuditAction.WEBHOOKS_CHANGED, done, diff)

        if act == "status":
            health = webhook_registration.status(services, connector_id)
        elif act == "register":
            health = webhook_registration.register(services, connector_id, audit=audit)
        else:
            health = webhook_registration.remove(services, connector_id, audit=audit)
    rows = [{"topic": one.topic, "id": one.id, "state": one.state} for one in health]
    console.show(rows, as_json=as_json, text=console.table(rows, ("topic", "id", "state")))
    if act != "remove" and any(row["state"] != "active" for row in rows):
        sys.exit(1)


@click.command(name="confirm-store")
@console.connector_argument
@click.option("--same", "given", flag_value="same", help="It has moved or was restored: go on.")
@click.option("--copy", "given", flag_value="copy", help="It is a copy for tests: send and write nothing.")
@console.as_json
def confirm_store(connector_id: int, given: str | None, as_json: bool) -> None:
    """Say of a connector that is read-only whether its store is the same one or a copy."""
    if given is None:
        raise click.UsageError("Give --same or --copy.")
    act = {"same": fingerprint.confirm_same, "copy": fingerprint.confirm_copy}[given]
    with console.opened() as services:
        connector = console.connector(services, connector_id)

        def audit(session: Session, diff: Diff) -> None:
            entity = f"{given} store for {connector.name}"
            console.record(services, session, connector, AuditAction.STORE_CONFIRMED, entity, diff)

        with services.db.write() as session:
            changed = act(session, services.clock.now(), connector_id, audit)
            state = session.get_one(Connector, connector_id).state
    if not changed:
        raise SettingError("ID", f"Nobody waits for this answer: connector {connector_id} is {state}.")
    console.show({"id": connector_id, "state": state}, as_json=as_json, text=f"Connector {connector_id} is {state}.")


@click.command(name="export-settings")
@click.argument("connector_id", metavar="[ID]", type=int, required=False)
def export_settings(connector_id: int | None) -> None:
    """Print the settings of one connector or all, without secrets, as JSON."""
    with console.opened() as services, services.db.read() as session:
        query = select(Connector).order_by(Connector.id)
        rows = session.scalars(query if connector_id is None else query.where(Connector.id == connector_id)).all()
        exported = [connectors.exported(services, row) for row in rows]
    if connector_id is not None and not exported:
        raise SettingError("ID", f"There is no connector {connector_id}.", "See `woo-mautic connectors`.")
    console.show(exported, as_json=True, text="")


@click.command()
@console.connector_argument
@click.option("--export", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Keep the settings.")
@console.yes_option
@console.as_json
def delete(connector_id: int, export: Path | None, yes: bool, as_json: bool) -> None:
    """Delete a connector with all its rows; contacts in Mautic and orders in the store stay."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        if export is not None:
            console.write(export, json.dumps(connectors.exported(services, connector), ensure_ascii=False, indent=2))
        console.confirmed(yes, f"Delete the connector “{connector.name}” with all its rows for good?")

        def audit(session: Session, done: Deleted) -> None:
            console.record(services, session, connector, AuditAction.DELETED, f"connector {done.name}", done.diff)

        done = deletion.delete(services, connector_id, audit=audit)
    if done.webhooks_left:
        click.echo(
            f"Its webhooks could not be removed from the store; remove them there. {done.webhooks_left}", err=True
        )
    console.show({"deleted": connector_id}, as_json=as_json, text=f"The connector “{done.name}” is deleted.")


COMMANDS: tuple[click.Command, ...] = (
    connect,
    list_connectors,
    check,
    configure,
    fields,
    webhooks,
    confirm_store,
    export_settings,
    delete,
)
