"""The command that encrypts what is stored with the present SECRET_KEY."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from integration.cli import console
from integration.models.audit import AuditAction
from integration.pipeline import key_rotation
from integration.pipeline.audited import Diff


@click.command(name="rotate-secrets")
@console.as_json
def rotate_secrets(as_json: bool) -> None:
    """Encrypt everything that SECRET_KEY_OLD still reads with SECRET_KEY; can be run again at any time."""
    with console.opened() as services:

        def write(session: Session, diff: Diff) -> None:
            console.record_of(services, session, None, AuditAction.UPDATED, "SECRET_KEY", diff)

        done = key_rotation.rotate(services, audit=write)
    lines = [f"{kind}: {number}" for kind, number in done.items() if number]
    text = "\n".join(["Encrypted anew:", *lines]) if lines else "Everything is encrypted with SECRET_KEY already."
    console.show(done, as_json=as_json, text=text)


COMMANDS = (rotate_secrets,)
