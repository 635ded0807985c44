"""Commands for users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.cli import console
from integration.cli.secret_options import read_secret, secret_option
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.organisation import Organisation
from integration.models.user import Role, User
from integration.operations.identity import accounts, members
from integration.pipeline.services import Services

_COLUMNS = ("id", "email", "role", "organisation", "state", "signed_in_at")
_password = secret_option("password", "The password, at least 10 characters.")


@click.group()
def user() -> None:
    """List and add users, change roles, set passwords, make sign-in links, shut out and let in again."""


@user.command(name="list")
@console.as_json
def list_users(as_json: bool) -> None:
    """List the users of all organisations."""
    query = select(User, Organisation.name).join(Organisation, Organisation.id == User.organisation_id)
    with console.opened() as services, services.db.read() as session:
        found = session.execute(query.order_by(Organisation.name, User.email)).tuples().all()
        rows = [_row(*each) for each in found]
        owners = [each.organisation_id for each, _ in found]
        told = console.in_zones(services, session, rows, owners)
    console.show(rows, as_json=as_json, text=console.table(told, _COLUMNS))


def _row(found: User, organisation: str) -> dict[str, Any]:
    shown = {name: getattr(found, name) for name in ("id", "email", "role", "signed_in_at")}
    return shown | {"organisation": organisation, "state": "shut out" if found.disabled_at else "active"}


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.VIEWER.value, show_default=True)
@click.option("--name", default="")
@_password
@console.as_json
def add(email: str, role: str, name: str, as_json: bool, **given: Any) -> None:
    """Add a user."""
    password = read_secret(given, "password", needed=True, confirm=True)
    with console.opened() as services:

        def audit(session: Session, made: User) -> None:
            _record(services, session, made, {"role": [None, made.role]})

        organisation = console.first_organisation(services)
        made = accounts.create_user(services, organisation, email, Role(role), password, name, audit=audit)
    console.show({"id": made}, as_json=as_json, text=f"User {made} was added.")


@user.command()
@click.argument("email")
@_password
def password(email: str, **given: Any) -> None:
    """Set a user's password; open sessions of that user end."""
    chosen = read_secret(given, "password", needed=True, confirm=True)
    with console.opened() as services:

        def audit(session: Session, changed: User) -> None:
            _record(services, session, changed, {"password": ["", ""]})

        accounts.set_password(services, _user_id(services, email), chosen, audit=audit)
    click.echo("The password was set.")


@user.command()
@click.argument("email")
def link(email: str) -> None:
    """Print a one-time sign-in link, good for 24 hours."""
    with console.opened() as services:

        def audit(session: Session, invited: User) -> None:
            _record(services, session, invited, {"sign-in link": ["", "made"]})

        token = accounts.make_link(services, _user_id(services, email), audit=audit)
        click.echo(f"{services.base_url}/sign-in/link/{token}")


@user.command()
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in Role]))
def role(email: str, role: str) -> None:
    """Give a user another role; the last administrator and the last super admin keep theirs."""

    def change(services: Services, session: Session, found: User) -> dict[str, list[Any]]:
        return {"role": members.change_role(session, found, role, Role.SUPER, services.clock.now())}

    _change(email, change, f"The role is {role} now.")


@user.command()
@click.argument("email")
def disable(email: str) -> None:
    """Shut a user out; open sessions end at once."""

    def change(services: Services, session: Session, found: User) -> dict[str, list[Any]]:
        members.disable(session, found, services.clock.now(), Role.SUPER)
        return {"disabled": [False, True]}

    _change(email, change, "The user is shut out; open sessions have ended.")


@user.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let a user in again."""

    def change(services: Services, session: Session, found: User) -> dict[str, list[Any]]:
        members.enable(found, Role.SUPER)
        return {"disabled": [True, False]}

    _change(email, change, "The user may sign in again.")


def _change(email: str, change: Callable[[Services, Session, User], dict[str, list[Any]]], said: str) -> None:
    with console.opened() as services, services.db.write() as session:
        found = session.get_one(User, _user_id_in(session, email))
        _record(services, session, found, change(services, session, found))
    click.echo(said)


def _record(services: Services, session: Session, found: User, diff: dict[str, list[Any]]) -> None:
    console.record(services, session, found, AuditAction.USER_CHANGED, found.email, diff)


def _user_id(services: Services, email: str) -> int:
    with services.db.read() as session:
        return _user_id_in(session, email)


def _user_id_in(session: Session, email: str) -> int:
    found = accounts.find(session, email)
    if found is None:
        raise SettingError("email", f"There is no user {email}.", "See `woo-mautic user list`.")
    return found.id


COMMANDS: tuple[click.Command, ...] = (user,)
