"""What every command stands on: the services, the connector asked for, who acts, and how data is printed."""

from __future__ import annotations

import json
import logging
import os
import pwd
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.config import load
from integration.engines import wired
from integration.errors import IntegrationError, SettingError
from integration.field_text import visible
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.disk_faults import fault_of
from integration.models.migrate import upgrade
from integration.models.organisation import Organisation
from integration.models.run import Run
from integration.models.user import User
from integration.operations import audit
from integration.operations.support import application_log
from integration.operations.support.application_log import configure_logging
from integration.operations.support.debug_capture import Capture
from integration.pipeline import installation
from integration.pipeline.connectors.time_zones import written, zone_of, zone_of_organisation
from integration.pipeline.leases.endings import cause_of
from integration.pipeline.services import Services, open_services, with_observers

log = logging.getLogger(__name__)
_UTC = ZoneInfo("UTC")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
organisation_option = click.option("--organisation", metavar="NAME", help="Whose, where there are several.")
yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
connector_argument = click.argument("connector_id", metavar="ID", type=int)


@contextmanager
def opened() -> Iterator[Services]:
    """Give the services of this installation, its database up to date."""
    deployment = load()
    configure_logging(deployment)
    upgrade(deployment.database_url)
    plain = wired(open_services(deployment))
    try:
        with plain.db.read() as session:
            if installation.key_is_lost(session, plain.vault):
                click.echo(f"Warning: {installation.KEY_LOST}", err=True)
                log.warning("%s", installation.KEY_LOST)
        yield with_observers(plain, Capture(deployment.instance_path / "logs").observer)
    finally:
        plain.db.dispose()


def broken(error: Exception) -> IntegrationError:
    """Return what to say of an error that no other sentence is for; its traceback goes to the application log."""
    if (fault := fault_of(error)) is not None:
        return fault
    if application_log.is_configured():
        return cause_of(error, "The command")
    return IntegrationError("internal", f"The command stopped over an error in woo-mautic itself: {error!r}")


def connector(services: Services, connector_id: int) -> Connector:
    """Return the connector or say that there is none."""
    with services.db.read() as session:
        found = session.get(Connector, connector_id)
    if found is None:
        raise SettingError("ID", f"There is no connector {connector_id}.", "See `woo-mautic connectors`.")
    return found


def run(session: Session, run_id: int) -> tuple[Run, Connector]:
    """Return a run with its connector or say that there is none."""
    found = session.get(Run, run_id)
    if found is None:
        raise SettingError("RUN", f"There is no run {run_id}.", "See `woo-mautic runs`.")
    return found, session.get_one(Connector, found.connector_id)


def first_organisation(services: Services, name: str = "My shop") -> int:
    """Return the id of the installation's first organisation, made when there is none."""
    with services.db.write() as session:
        found = session.scalar(select(Organisation).order_by(Organisation.id).limit(1))
        if found is None:
            found = Organisation(name=name, created_at=services.clock.now())
            session.add(found)
            session.flush()
        return found.id


def organisation(services: Services, name: str | None) -> Organisation:
    """Return the organisation of this name, without one the only one that there is; raises SettingError."""
    first_organisation(services)
    with services.db.read() as session:
        every = session.scalars(select(Organisation).order_by(Organisation.id)).all()
    found = [each for each in every if name in (None, each.name)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"“{each.name}”" for each in every)
    sentence = f"There is no organisation “{name}”." if name is not None else "There are several organisations."
    raise SettingError("organisation", sentence, f"Name one of {listed} with --organisation.")


def confirmed(yes: bool, question: str) -> None:
    """Ask before what cannot be undone; raises Abort on no, UsageError where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Give --yes to do it without being asked.")
    click.confirm(question, abort=True)


def actor() -> str:
    """Return who acts as the audit log names them: the system user, and who became it with sudo."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"command line: {name}" + (f" (sudo by {behind})" if behind and behind != name else "")


def record(
    services: Services,
    session: Session,
    owner: Connector | User,
    action: AuditAction,
    entity: str,
    diff: Mapping[str, Any],
) -> None:
    """Write what a command does to a connector or a user to the audit log, in the transaction of the act."""
    connector_id = owner.id if isinstance(owner, Connector) else None
    record_of(services, session, owner.organisation_id, action, entity, diff, connector_id=connector_id)


def record_of(
    services: Services,
    session: Session,
    organisation_id: int | None,
    action: AuditAction,
    entity: str,
    diff: Mapping[str, Any],
    *,
    connector_id: int | None = None,
) -> None:
    """Write what a command does to something of an organisation, or of none, to the audit log in the same way."""
    audit.record(
        session,
        clock_now=services.clock.now(),
        organisation_id=organisation_id,
        connector_id=connector_id,
        actor=actor(),
        action=action,
        entity=entity,
        diff=diff,
    )


def assigned(assignments: Sequence[str]) -> dict[str, str]:
    """Return KEY=VALUE arguments as a map; raises UsageError for one of another form."""
    found: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"“{assignment}” is not of the form key=value.")
        found[key.strip()] = value
    return found


def content(file: Path, most: int) -> bytes:
    """Return the first `most` bytes of a file that was named; raises SettingError (FILE) when it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise SettingError("FILE", f"{file} cannot be read: {error.strerror}.", "Choose another file.") from error


def write(file: Path, text: str) -> None:
    """Write a file that an option named; raises SettingError (output) when it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        sentence = f"{file} cannot be written: {error.strerror}."
        raise SettingError("output", sentence, "Choose a file that can be written.") from error


def show(value: Any, *, as_json: bool, text: str) -> None:
    """Print a value as JSON or as text."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else visible(text, lines=True))


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str], zone: ZoneInfo = _UTC) -> str:
    """Return rows as text in aligned columns, with a head line; moments are written in a zone."""
    cells = [[column.replace("_", " ") for column in columns]]
    cells += [[_cell(row.get(column), zone) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def _cell(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        return written(value, zone)
    return "" if value is None else visible(str(value))


def zone(services: Services, connector_id: int) -> ZoneInfo:
    """Return the zone of the store of a connector that was named; raises SettingError when there is none."""
    return zone_of(connector(services, connector_id), services.deployment.timezone)


def in_zones(
    services: Services, session: Session, rows: Sequence[dict[str, Any]], owners: Sequence[int]
) -> list[dict[str, Any]]:
    """Return rows of several organisations with their moments written, each in the zone of its owner."""
    zones = {each: zone_of_organisation(session, each, services.deployment.timezone) for each in set(owners)}
    return [
        {name: _cell(value, zones[owner]) if isinstance(value, datetime) else value for name, value in row.items()}
        for row, owner in zip(rows, owners, strict=True)
    ]
