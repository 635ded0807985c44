"""Commands that make something go for good: a person, or a connector with what is ours in the store."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.cli import console
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.erasure import Erasure
from integration.models.organisation import Organisation
from integration.operations import erasure
from integration.operations.erasure import Asked, Preview
from integration.operations.retention import uninstall as leaving
from integration.operations.retention.uninstall import Uninstalled
from integration.pipeline.services import Services
from integration.web.tools import takeaway

#: So often it is looked whether an erasure that waits can go on.
LOOK_EVERY_S = 2.0


@click.command()
@click.argument("email")
@click.option("--connector", "connector_id", type=int, metavar="ID", help="Only in this connector; else in all.")
@click.option("--organisation", metavar="NAME", help="Needed where there are several.")
@click.option(
    "--mautic",
    "in_mautic",
    type=click.Choice(list(erasure.CHOICES)),
    default=erasure.KEEP,
    show_default=True,
    help="; ".join(f"{name}: {text}" for name, text in erasure.CHOICES.items()),
)
@click.option("--block", is_flag=True, help="Take up nothing of this address any more; only its hash is kept.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Keep the receipt.")
@click.option("--no-wait", is_flag=True, help="Leave it to the worker; print the receipt's number.")
@console.yes_option
@console.as_json
def erase(
    email: str,
    connector_id: int | None,
    organisation: str | None,
    in_mautic: str,
    block: bool,
    output: Path | None,
    no_wait: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase a person by e-mail address everywhere and print the receipt; "-" reads the address from standard input.

    Exit code 1 when something stays in Mautic or in the store; the receipt says what.
    """
    address = sys.stdin.readline().strip() if email == "-" else email
    asked = erasure.checked(address, connector_id, in_mautic, block)
    with console.opened() as services:
        owner = _owner(services, organisation, connector_id)
        found = erasure.preview(services, owner, asked)
        if not yes:
            click.echo(_told(asked, found), err=True)
        console.confirmed(yes, "Erase this person for good?")
        number = erasure.ask(services, owner, asked, console.actor(), audit=lambda s, row: _audit(services, s, row))
        if not no_wait:
            _finish(services, number)
        with services.db.read() as session:
            row = session.get_one(Erasure, number)
            where = erasure.where_of(session, row)
    text = erasure.as_text(row, where)
    if output is not None:
        console.write(output, erasure.as_json(row, where) if as_json else text)
    console.show(erasure.as_dict(row, where), as_json=as_json, text=text.rstrip())
    if row.remains:
        sys.exit(1)


def _finish(services: Services, number: int) -> None:
    pause = threading.Event()
    while not erasure.work(services, number):
        with services.db.read() as session:
            row = session.get_one(Erasure, number)
        if row.ended_at is not None or row.due_at > services.clock.now() + erasure.LONG_WAIT:
            # Mautic or the store is away for long: the worker goes on with it.
            return
        pause.wait(LOOK_EVERY_S)


def _owner(services: Services, name: str | None, connector_id: int | None) -> int:
    if connector_id is not None:
        return console.connector(services, connector_id).organisation_id
    with services.db.read() as session:
        names = {row.name: row.id for row in session.scalars(select(Organisation))}
    if name is None and len(names) == 1:
        return next(iter(names.values()))
    if name not in names:
        known = ", ".join(sorted(names)) or "there is none yet"
        raise SettingError("organisation", "Say whose customer the person is.", f"Give --organisation: {known}.")
    return names[name]


def _told(asked: Asked, found: Preview) -> str:
    rows = [f"  {name}: {number:,}" for name, number in found.counts.items()] or ["  no rows of their own"]
    return "\n".join([f"Would be removed of {asked.email}, and every text that quotes it:", *rows])


def _audit(services: Services, session: Session, row: Erasure) -> None:
    told = {"address_hash": row.address_hash, "in_mautic": row.in_mautic, "block": row.block}
    diff = {name: [None, value] for name, value in told.items()}
    action, entity = AuditAction.ERASURE_ASKED, f"erasure {row.receipt}"
    console.record_of(services, session, row.organisation_id, action, entity, diff, connector_id=row.connector_id)


@click.command()
@console.connector_argument
@click.option("--export", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Keep all in a ZIP.")
@click.option("--anyway", is_flag=True, help="Delete our data even if something remains in the store.")
@console.yes_option
@console.as_json
def uninstall(connector_id: int, export: Path | None, anyway: bool, yes: bool, as_json: bool) -> None:
    """Remove our webhooks and coupons from the store, then all our data of a connector; Mautic is not touched.

    Exit code 1 when something remains in the store; the connector is paused then, and this can be tried again.
    """
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        if export is not None:
            _keep(services, connector_id, export)
        console.confirmed(yes, f"Uninstall “{connector.name}”, and delete all its rows for good?")

        def audit(session: Session, done: Uninstalled) -> None:
            entity = f"connector {done.name}"
            console.record(services, session, connector, AuditAction.UNINSTALLED, entity, done.diff)

        done = leaving.uninstall(services, connector_id, anyway=anyway, audit=audit)
    gone = done.deleted is not None
    left = done.left
    told = {"deleted": gone, "done": left.done, "stays": left.stays, "remains": left.remains}
    end = f"“{done.name}” is uninstalled." if gone else "Nothing was deleted here; the connector is paused."
    remains = [f"Remains in the store: {sentence}" for sentence in left.remains]
    console.show(told, as_json=as_json, text="\n".join([*left.done, *left.stays, *remains, end]))
    if left.remains:
        sys.exit(1)


def _keep(services: Services, connector_id: int, file: Path) -> None:
    connector = console.connector(services, connector_id)
    try:
        with file.open("wb") as written:
            for piece in takeaway.zipped(services, connector):
                written.write(piece)
    except OSError as error:
        sentence = f"{file} cannot be written: {error.strerror}."
        raise SettingError("export", sentence, "Choose a file that can be written.") from error


COMMANDS: tuple[click.Command, ...] = (erase, uninstall)
