"""Commands that pause a connector, switch its debug mode, and tell of its alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
from sqlalchemy.orm import Session

from integration.cli import console
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.operations.monitoring.alerts import book
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.words import counted

_ALERTS = ("id", "cause", "since", "ended_at", "sentence")


@click.command()
@console.connector_argument
def pause(connector_id: int) -> None:
    """Let schedule and worker pass a connector by; webhooks are taken and wait."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        if not connectors.pause(services, connector_id, audit=_state(services, AuditAction.PAUSED, "paused")):
            raise SettingError("ID", f"“{connector.name}” is paused already.", "`woo-mautic unpause` lets it go on.")
    click.echo(f"“{connector.name}” is paused.")


@click.command()
@console.connector_argument
def unpause(connector_id: int) -> None:
    """Look after a paused connector again."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        if not connectors.resume(services, connector_id, audit=_state(services, AuditAction.RESUMED, "active")):
            raise SettingError("ID", f"“{connector.name}” is not paused.", "There is nothing to do.")
    click.echo(f"“{connector.name}” goes on.")


def _state(services: Services, action: AuditAction, word: str) -> Any:
    def audit(session: Session, connector: Connector) -> None:
        diff = {"state": ["active" if word == "paused" else "paused", word]}
        console.record(services, session, connector, action, f"connector {connector.name}", diff)

    return audit


@click.command()
@console.connector_argument
@click.option("--hours", type=click.IntRange(1, 24 * connectors.DEBUG_DAYS_MAX), help="Switch it on for so many hours.")
@click.option("--off", is_flag=True, help="Switch it off.")
def debug(connector_id: int, hours: int | None, off: bool) -> None:
    """Switch debug mode on for a while, or off; it keeps what goes over the network, secrets masked."""
    if (hours is None) == (not off):
        raise click.UsageError("Give either --hours or --off.")
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        until = services.clock.now() + timedelta(hours=hours) if hours else None

        def audit(session: Session, diff: Diff) -> None:
            action = AuditAction.DEBUG_ON if until else AuditAction.DEBUG_OFF
            shown = {name: [None if each is None else each.isoformat() for each in pair] for name, pair in diff.items()}
            console.record(services, session, connector, action, f"connector {connector.name}", shown)

        connectors.set_debug(services, connector_id, until, audit=audit)
    click.echo(f"Debug mode is on for {counted(hours, 'hour')}." if hours else "Debug mode is off.")


@click.command()
@console.connector_argument
@click.option("--ended", is_flag=True, help="Those that have ended too.")
@console.as_json
def alerts(connector_id: int, ended: bool, as_json: bool) -> None:
    """List what is wrong with a connector; exit code 0 in any case."""
    with console.opened() as services, services.db.read() as session:
        zone = console.zone(services, connector_id)
        found = [*book.open_alerts(session, connector_id)]
        found += book.history(session, [connector_id]) if ended else []
        rows = [{name: getattr(each, name) for name in _ALERTS} for each in found]
    text = console.table(rows, _ALERTS, zone) if rows else "Nothing is wrong."
    console.show(rows, as_json=as_json, text=text)


COMMANDS: tuple[click.Command, ...] = (pause, unpause, debug, alerts)
