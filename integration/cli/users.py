"""Commands for users."""

from __future__ import annotations

import click

from integration.cli import desk
from integration.errors import SettingError
from integration.models.user import Role
from integration.operations import accounts
from integration.pipeline.ports import Ports

_password = click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)


@click.group()
def user() -> None:
    """Add users, set passwords, make sign-in links."""


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.VIEWER.value, show_default=True)
@click.option("--name", default="")
@_password
@desk.as_json
def add(email: str, role: str, name: str, password: str, as_json: bool) -> None:
    """Add a user."""
    with desk.opened() as ports:
        organisation = desk.first_organisation(ports)
        made = accounts.create_user(ports, organisation, email, Role(role), password, name)
    desk.show({"id": made}, as_json=as_json, text=f"User {made} was added.")


@user.command()
@click.argument("email")
@_password
def password(email: str, password: str) -> None:
    """Set a user's password; open sessions of that user end."""
    with desk.opened() as ports:
        accounts.set_password(ports, _user_id(ports, email), password)
    click.echo("The password was set.")


@user.command()
@click.argument("email")
def link(email: str) -> None:
    """Print a one-time sign-in link, good for 24 hours."""
    with desk.opened() as ports:
        token = accounts.make_link(ports, _user_id(ports, email))
        click.echo(f"{ports.deployment.base_url}/sign-in/link/{token}")


def _user_id(ports: Ports, email: str) -> int:
    with ports.db.read() as session:
        found = accounts.find(session, email)
    if found is None:
        raise SettingError("email", f"There is no user {email}.", "Add one with `woo-mautic user add`.")
    return found.id


COMMANDS: tuple[click.Command, ...] = (user,)
