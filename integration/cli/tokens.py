"""Commands of the tokens of programs."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.cli import console
from integration.errors import SettingError
from integration.models.access import ApiToken
from integration.models.audit import AuditAction
from integration.models.organisation import Organisation
from integration.operations.identity import tokens
from integration.pipeline.services import Services

_COLUMNS = ("id", "name", "organisation", "start", "scopes", "state", "used_at", "expires_at")


@click.group()
def token() -> None:
    """List, make and revoke the tokens by which programs use the API."""


@token.command(name="list")
@console.as_json
def list_tokens(as_json: bool) -> None:
    """List the tokens of all organisations; their secrets are kept nowhere."""
    query = select(ApiToken, Organisation.name).join(Organisation, Organisation.id == ApiToken.organisation_id)
    with console.opened() as services, services.db.read() as session:
        found = session.execute(query.order_by(ApiToken.id)).tuples().all()
        rows = [_row(services, *each) for each in found]
        told = console.in_zones(services, session, rows, [each.organisation_id for each, _ in found])
    told = [row | {"scopes": ", ".join(row["scopes"])} for row in told]
    console.show(rows, as_json=as_json, text=console.table(told, _COLUMNS))


def _row(services: Services, found: ApiToken, organisation: str) -> dict[str, Any]:
    over = found.expires_at is not None and found.expires_at <= services.clock.now()
    state = "revoked" if found.revoked_at else "expired" if over else "active"
    shown = {name: getattr(found, name) for name in _COLUMNS if name not in ("organisation", "state")}
    return shown | {"organisation": organisation, "state": state}


@token.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(list(tokens.SCOPES)), help="May be repeated."
)
@click.option("--days", type=click.IntRange(1, 3650), help="Valid for so many days; else until it is revoked.")
@console.as_json
def make(name: str, scopes: tuple[str, ...], days: int | None, as_json: bool) -> None:
    """Make a token and print its secret, this once."""
    with console.opened() as services:

        def audit(session: Session, row: ApiToken) -> None:
            _record(services, session, row, {"scopes": [None, list(row.scopes)]})

        organisation = console.first_organisation(services)
        made = tokens.make(services, organisation, name, scopes, console.actor(), days, audit=audit)
    console.show({"id": made.id, "secret": made.secret}, as_json=as_json, text=made.secret)


@token.command()
@click.argument("token_id", metavar="TOKEN", type=int)
@console.yes_option
def revoke(token_id: int, yes: bool) -> None:
    """End a token for good."""
    with console.opened() as services:
        with services.db.read() as session:
            found = session.get(ApiToken, token_id)
        if found is None or found.revoked_at is not None:
            raise SettingError("TOKEN", f"There is no token {token_id} that works.", "See `woo-mautic token list`.")
        console.confirmed(yes, f"Revoke the token “{found.name}” for good?")
        with services.db.write() as session:
            row = session.get_one(ApiToken, token_id)
            tokens.revoke(session, row, services.clock.now())
            _record(services, session, row, {"revoked": [False, True]})
    click.echo("The token is revoked.")


def _record(services: Services, session: Session, row: ApiToken, diff: dict[str, Any]) -> None:
    action, entity = AuditAction.TOKEN_CHANGED, f"access {row.name}"
    console.record_of(services, session, row.organisation_id, action, entity, diff)


COMMANDS: tuple[click.Command, ...] = (token,)
