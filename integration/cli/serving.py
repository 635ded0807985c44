"""Commands that serve: the app alone, or with the demo's two ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.cli import console
from integration.config import Deployment, load
from integration.models.audit import AuditAction
from integration.models.user import Role, User
from integration.operations.identity import accounts
from integration.pipeline import installation
from integration.pipeline.services import Services

if TYPE_CHECKING:
    from integration.sandbox.demo import Demo

FIRST_USER = "admin@localhost.localdomain"


@click.command()
def serve() -> None:
    """Serve the pages and, with ENGINE=embedded, do the work in the same process."""
    _serve()


@click.command()
@click.option("--https", is_flag=True, help="Let both speak https, with a certificate authority of their own.")
def demo(https: bool) -> None:
    """Serve with a demo store and a demo Mautic, connected and alive."""
    from integration.sandbox.demo import Demo

    ends = Demo(load().instance_path / "demo", https=https)
    with ends.alone():
        _serve(ends)


def _serve(ends: Demo | None = None) -> None:
    # Here and in `demo` alone: workers and imports would carry a web server and both stand-ins.
    from integration.cli.server import Server

    deployment = load()
    # First of all: what is kept, connected and told below would lead to whatever program has the address.
    server = Server(deployment)
    try:
        link = _prepared(deployment, ends)
        server.listen()
        click.echo(f"woo-mautic is at {deployment.base_url}\nSign in once with {link}")
        server.run()
    finally:
        if ends is not None:
            ends.stop()


def _prepared(deployment: Deployment, ends: Demo | None) -> str:
    """Keep the address, start and connect the demo's ends if there are any; return a one-time link."""
    with console.opened() as services:
        with services.db.write() as session:
            installation.keep_address(session, deployment.base_url)
            installation.check_key(session, services.vault)
        console.first_organisation(services)
        if ends is not None:
            ends.start()
            ends.connect(services, console.first_organisation(services))
        return _sign_in_link(services)


def _sign_in_link(services: Services) -> str:
    """Return a one-time link of the first administrator, who is made at the first start."""
    with services.db.read() as session:
        found = session.scalar(
            select(User.id)
            .where(User.role.in_([Role.SUPER, Role.ADMIN]), User.disabled_at.is_(None))
            .order_by(User.id)
            .limit(1)
        )
    organisation = console.first_organisation(services)

    def added(session: Session, user: User) -> None:
        console.record(services, session, user, AuditAction.USER_CHANGED, user.email, {"role": [None, user.role]})

    def linked(session: Session, user: User) -> None:
        console.record(services, session, user, AuditAction.USER_CHANGED, user.email, {"sign-in link": ["", "made"]})

    user_id = found or accounts.create_user(
        services, organisation, FIRST_USER, Role.SUPER, name="Administrator", audit=added
    )
    return f"{services.base_url}/sign-in/link/{accounts.make_link(services, user_id, audit=linked)}"


COMMANDS: tuple[click.Command, ...] = (serve, demo)
