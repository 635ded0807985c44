"""Commands that run: worker, sync, pause and resume."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import click
from sqlalchemy.orm import Session

from integration import heap
from integration.cli import console
from integration.cli.filter_options import option_of
from integration.engines import engine_for
from integration.engines.worker import Worker
from integration.errors import IntegrationError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import GOING, Run, RunState
from integration.pipeline import outbox
from integration.pipeline.connectors import holds, store_profile
from integration.pipeline.dry_run import forecast
from integration.pipeline.runs import (
    cancelling,
    lifecycle as run_lifecycle,
    options as run_options,
    progress as run_progress,
    resumption,
)
from integration.pipeline.services import Services


@click.command()
@click.option("--until-idle", is_flag=True, help="Work off what is due, then end.")
def worker(until_idle: bool) -> None:
    """Deliver and read in this process, beside or instead of the web process."""
    with console.opened() as services:
        heap.pass_by_what_is_made()
        if until_idle:
            _work_off(services)
            return
        engine = engine_for(services, role="worker")
        asked = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: asked.set())
        engine.start()
        click.echo("The worker is running; stop it with Ctrl-C.")
        asked.wait()
        engine.stop()


def _work_off(services: Services) -> None:
    with services.db.write() as session:
        outbox.recover(session, services.clock.now())
    one = Worker(services)
    one.until_idle()
    one.stop()
    cancelling.end_paused(services)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for name, values in reversed(_OPTIONS.items()):
        command = click.option(f"--{name}", **values)(command)
    return command


_OPTIONS: dict[str, dict[str, Any]] = {
    "only": {"help": "contacts, orders or both, with a comma."},
    "since": {"metavar": "T", "help": "Only records changed since this time (ISO 8601, UTC without an offset)."},
    "until": {"metavar": "T", "help": "Only records changed before this time."},
    "ids": {"help": "Only the orders, or the customers, with these ids, with commas; give --only too."},
    "statuses": {"help": "Only orders of these statuses, with commas; else those of Order Sync."},
    "page-size": {"help": "Records asked from the store at once, 10 to 100."},
    "resend": {"is_flag": True, "help": "Write contacts even where Mautic confirmed the same values before."},
    "payloads": {"is_flag": True, "help": "Keep what came and what was sent in files for 24 hours, secrets masked."},
    "dry-run": {"is_flag": True, "help": "Say what would be sent and what it would cost, and send nothing."},
}


@click.command()
@console.connector_argument
@click.option("--kind", type=click.Choice(["initial", "full", "incremental", "bulk"]), required=True)
@_with_options
@click.option("--wait", is_flag=True, help="Do it in this process, wait for the end and print a summary.")
@console.as_json
def sync(connector_id: int, kind: str, wait: bool, as_json: bool, **typed: Any) -> None:
    """Run an initial import, a full sync, an incremental one, or a bulk run by filters."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        options = _read(connector, {"kind": kind, **typed})

        def audit(session: Session, run: Run) -> None:
            diff = {"kind": [None, kind], "options": [None, options]}
            console.record(services, session, connector, AuditAction.SYNC_TRIGGERED, f"run {run.id}", diff)

        run_id = run_lifecycle.start(services, connector_id, kind, trigger="command line", options=options, audit=audit)
        summary = _awaited(services, run_id, wait)
    _tell(summary, as_json)


@click.command("pause-run")
@click.argument("run_id", metavar="RUN", type=int)
@console.as_json
def pause_run(run_id: int, as_json: bool) -> None:
    """Let an initial, full or bulk run rest where it stands; `resume` lets it go on."""
    with console.opened() as services:
        with services.db.read() as session:
            _, connector = console.run(session, run_id)

        def audit(session: Session, run: Run) -> None:
            diff = {"paused": [False, True]}
            console.record(services, session, connector, AuditAction.SYNC_PAUSED, f"run {run.id}", diff)

        run_lifecycle.pause(services, run_id, audit=audit)
    console.show({"run": run_id, "paused": True}, as_json=as_json, text=f"Run {run_id} rests after its next page.")


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--wait", is_flag=True, help="Do it in this process, wait for the end and print a summary.")
@console.as_json
def resume(run_id: int, wait: bool, as_json: bool) -> None:
    """Let a run go on that failed, was cancelled, or whose process was killed."""
    with console.opened() as services:
        with services.db.read() as session:
            _, connector = console.run(session, run_id)

        def audit(session: Session, run: Run) -> None:
            diff = {"goes on": [run_id, run.id]}
            console.record(services, session, connector, AuditAction.SYNC_TRIGGERED, f"run {run.id}", diff)

        going = resumption.resume(services, run_id, audit=audit)
        summary = _awaited(services, going, wait)
    _tell(summary, as_json)


def _awaited(services: Services, run_id: int, wait: bool) -> dict[str, Any]:
    return wait_for_end(services, run_id) if wait else {"run": run_id, "state": RunState.PENDING}


def _tell(summary: dict[str, Any], as_json: bool) -> None:
    """Print what is known of a run, and exit with 1 where it did not end well."""
    text = ", ".join(f"{name} {value}" for name, value in summary.items() if name != "forecast")
    if "forecast" in summary:
        text += "".join(f"\n  {name} {value}" for name, value in summary["forecast"].items())
    console.show(summary, as_json=as_json, text=text)
    if summary["state"] in (RunState.FAILED, RunState.CANCELLED):
        sys.exit(1)


def _read(connector: Connector, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run; raises UsageError naming the first one that cannot be.

    What is given but empty, as by a shell variable that is not set, must not mean all.
    """
    for name, value in typed.items():
        if value is not None and not str(value).strip(", "):
            raise click.UsageError(f"{option_of(name)} is empty; leave it out for all.")
    form = {name: str(value) for name, value in typed.items() if value}
    lists = {name: _parts(form.pop(name, "")) for name in ("only", "statuses")}
    if unknown := set(lists["only"]) - set(run_options.ENTITIES):
        raise click.UsageError(f"--only takes contacts and orders, not {', '.join(sorted(unknown))}.")
    lists["only"] = lists["only"] or list(run_options.ENTITIES)
    read = run_options.read({**form, **lists}, "UTC", list(store_profile.statuses(connector)))
    for name, sentence in read.errors.items():
        raise click.UsageError(f"{option_of(name)}: {sentence}")
    return read.options


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def wait_for_end(services: Services, run_id: int) -> dict[str, Any]:
    """Work until the run and all it has accepted are done.

    Raises IntegrationError (held) when the connection is on hold and nothing has moved for half a minute: the run stays
    and is taken up by the next worker.
    """
    heap.pass_by_what_is_made()
    one = Worker(services)
    one.start()
    pause = threading.Event()
    moved, moved_at = (0, 0), time.monotonic()
    try:
        while True:
            looked_at = time.monotonic()
            with services.db.read() as session:
                progress = run_progress.progress(session, run_id, services.clock.now())
                held = holds.open_holds(session, progress.run.connector_id)
            # A paused run is over here, whatever is asked of it: another process may never come.
            over = progress.run.state not in GOING and (
                progress.waiting <= progress.later or progress.run.state != RunState.COMPLETED
            )
            if over:
                return _summary(services, run_id)
            if (progress.done, progress.run.pulled) != moved:
                moved, moved_at = (progress.done, progress.run.pulled), time.monotonic()
            if held and time.monotonic() - moved_at > RUN_WAIT_S:
                raise IntegrationError("held", f"{held[0].sentence} {held[0].hint}", _GOES_ON)
            pause.wait(_until_the_next_look(time.monotonic() - looked_at))
    finally:
        one.stop()


def _until_the_next_look(took_s: float) -> float:
    """Return the seconds between two looks at a run: what waits is counted each time, and that may be much."""
    return min(max(LOOK_EVERY_S, 20 * took_s), LOOK_AT_LEAST_EVERY_S)


LOOK_EVERY_S, LOOK_AT_LEAST_EVERY_S = 0.2, 2.0
#: Seconds without any movement after which waiting for a held connection ends.
RUN_WAIT_S = 30.0
_GOES_ON = "What was read waits and is sent by the next `woo-mautic worker` or `woo-mautic serve`."


def _summary(services: Services, run_id: int) -> dict[str, Any]:
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
        summary = run_progress.progress(session, run_id, services.clock.now()).summary
        if run.is_dry:
            batch = services.modules(session.get_one(Connector, run.connector_id)).sync.batch_start
            summary["forecast"] = forecast.summary(session, run, batch)
    return summary | ({"error": run.error} if run.error else {})


COMMANDS: tuple[click.Command, ...] = (worker, sync, pause_run, resume)
