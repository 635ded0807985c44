"""Commands that serve: the app alone, or with the demo's two ends."""

from __future__ import annotations

import click
from sqlalchemy import select

from integration.cli import desk
from integration.cli.server import Server
from integration.config import load
from integration.models.user import Role
from integration.models.user import User
from integration.operations import accounts
from integration.pipeline.ports import Ports
from integration.sandbox.demo import Demo

FIRST_USER = "admin@localhost.localdomain"


@click.command()
def serve() -> None:
    """Serve the pages and, with ENGINE=embedded, do the work in the same process."""
    _serve(demo=False)


@click.command()
def demo() -> None:
    """Serve with a demo store and a demo Mautic, connected and alive."""
    _serve(demo=True)


def _serve(*, demo: bool) -> None:
    deployment = load()
    ends = Demo(deployment.instance_path / "demo") if demo else None
    with desk.opened() as ports:
        desk.first_organisation(ports)
        if ends is not None:
            ends.start()
            ends.connect(ports, desk.first_organisation(ports))
        link = _sign_in_link(ports)
    click.echo(f"woo-mautic is at {deployment.base_url}\nSign in once with {link}")
    try:
        Server(deployment).run()
    finally:
        if ends is not None:
            ends.stop()


def _sign_in_link(ports: Ports) -> str:
    """Return a one-time link of the first administrator, who is made at the first start."""
    with ports.db.read() as session:
        found = session.scalar(
            select(User.id)
            .where(User.role.in_([Role.SUPER, Role.ADMIN]), User.disabled_at.is_(None))
            .order_by(User.id)
            .limit(1)
        )
    organisation = desk.first_organisation(ports)
    user_id = found or accounts.create_user(ports, organisation, FIRST_USER, Role.SUPER, name="Administrator")
    return f"{ports.deployment.base_url}/sign-in/link/{accounts.make_link(ports, user_id)}"


COMMANDS: tuple[click.Command, ...] = (serve, demo)
