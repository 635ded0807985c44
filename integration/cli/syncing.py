"""Commands that run: worker and sync."""

from __future__ import annotations

import signal
import sys
import threading
import time
from datetime import datetime
from typing import Any

import click

from integration.cli import desk
from integration.engines import engine_for
from integration.engines.worker import Worker
from integration.errors import IntegrationError
from integration.models.run import Run
from integration.models.run import RunState
from integration.pipeline import holds
from integration.pipeline import outbox
from integration.pipeline import runs
from integration.pipeline.ports import Ports


@click.command()
@click.option("--until-idle", is_flag=True, help="Work off what is due, then end.")
def worker(until_idle: bool) -> None:
    """Deliver and read in this process, beside or instead of the web process."""
    with desk.opened() as ports:
        if until_idle:
            _work_off(ports)
            return
        engine = engine_for(ports, role="worker")
        asked = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: asked.set())
        engine.start()
        click.echo("The worker is running; stop it with Ctrl-C.")
        asked.wait()
        engine.stop()


def _work_off(ports: Ports) -> None:
    with ports.db.write() as session:
        outbox.recover(session, ports.clock.now())
    one = Worker(ports)
    one.until_idle()
    one.stop()


@click.command()
@desk.connector_argument
@click.option("--kind", type=click.Choice(["initial", "full", "incremental"]), required=True)
@click.option("--only", help="contacts, orders or both, with a comma.")
@click.option("--since", metavar="T", help="Only records changed since this time (ISO 8601).")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--wait", is_flag=True, help="Do it in this process, wait for the end and print a summary.")
@desk.as_json
def sync(
    connector_id: int, kind: str, only: str | None, since: str | None, dry_run: bool, wait: bool, as_json: bool
) -> None:
    """Run an initial import, a full sync or an incremental one."""
    options: dict[str, Any] = {"only": _only(only), "since": _since(since), "dry_run": dry_run}
    options = {key: value for key, value in options.items() if value}
    with desk.opened() as ports:
        desk.connector(ports, connector_id)
        run_id = runs.start(ports, connector_id, kind, trigger="command line", options=options)
        summary = wait_for_end(ports, run_id) if wait else {"run": run_id, "state": RunState.PENDING}
    text = ", ".join(f"{name} {value}" for name, value in summary.items())
    desk.show(summary, as_json=as_json, text=text)
    if summary["state"] in (RunState.FAILED, RunState.CANCELLED):
        sys.exit(1)


def _only(text: str | None) -> list[str] | None:
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    if unknown := set(parts) - {"contacts", "orders"}:
        raise click.UsageError(f"--only takes contacts and orders, not {', '.join(sorted(unknown))}.")
    return parts or None


def _since(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).isoformat()
    except ValueError:
        raise click.UsageError(f"--since {text} is no time; write it like 2026-11-20T12:00:00Z.") from None


def wait_for_end(ports: Ports, run_id: int) -> dict[str, Any]:
    """Work until the run and all it has accepted are done.

    Raises IntegrationError (held) when the connection is on hold and nothing has moved for half a minute: the run stays
    and is taken up by the next worker.
    """
    one = Worker(ports)
    one.start()
    pause = threading.Event()
    moved, moved_at = (0, 0), time.monotonic()
    try:
        while True:
            with ports.db.read() as session:
                progress = runs.progress(session, run_id, ports.clock.now())
                held = holds.open_holds(session, progress.run.connector_id)
            over = not progress.going and (
                progress.waiting <= progress.later or progress.run.state != RunState.COMPLETED
            )
            if over:
                return _summary(ports, run_id)
            if (progress.done, progress.run.pulled) != moved:
                moved, moved_at = (progress.done, progress.run.pulled), time.monotonic()
            if held and time.monotonic() - moved_at > PATIENCE:
                raise IntegrationError("held", f"{held[0].sentence} {held[0].hint}", _GOES_ON)
            pause.wait(0.2)
    finally:
        one.stop()


#: Seconds without any movement after which waiting for a held connection ends.
PATIENCE = 30.0
_GOES_ON = "What was read waits and is sent by the next `woo-mautic worker` or `woo-mautic serve`."


def _summary(ports: Ports, run_id: int) -> dict[str, Any]:
    with ports.db.read() as session:
        run = session.get_one(Run, run_id)
        summary = runs.progress(session, run_id, ports.clock.now()).summary
    return summary | ({"error": run.error} if run.error else {})


COMMANDS: tuple[click.Command, ...] = (worker, sync)
