"""Commands for users."""

from __future__ import annotations

import click

from integration.cli import console
from integration.errors import SettingError
from integration.models.user import Role
from integration.operations.identity import accounts
from integration.pipeline.services import Services

_password = click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)


@click.group()
def user() -> None:
    """Add users, set passwords, make sign-in links."""


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.VIEWER.value, show_default=True)
@click.option("--name", default="")
@_password
@console.as_json
def add(email: str, role: str, name: str, password: str, as_json: bool) -> None:
    """Add a user."""
    with console.opened() as services:
        organisation = console.first_organisation(services)
        made = accounts.create_user(services, organisation, email, Role(role), password, name)
    console.show({"id": made}, as_json=as_json, text=f"User {made} was added.")


@user.command()
@click.argument("email")
@_password
def password(email: str, password: str) -> None:
    """Set a user's password; open sessions of that user end."""
    with console.opened() as services:
        accounts.set_password(services, _user_id(services, email), password)
    click.echo("The password was set.")


@user.command()
@click.argument("email")
def link(email: str) -> None:
    """Print a one-time sign-in link, good for 24 hours."""
    with console.opened() as services:
        token = accounts.make_link(services, _user_id(services, email))
        click.echo(f"{services.base_url}/sign-in/link/{token}")


def _user_id(services: Services, email: str) -> int:
    with services.db.read() as session:
        found = accounts.find(session, email)
    if found is None:
        raise SettingError("email", f"There is no user {email}.", "Add one with `woo-mautic user add`.")
    return found.id


COMMANDS: tuple[click.Command, ...] = (user,)
