"""Commands of dead letters: list them, send them again, discard them, correct one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy.orm import Session

from integration.cli import console
from integration.cli.filter_options import asked, filter_options, numbers
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.run import Run, RunKind
from integration.pipeline import outbox
from integration.pipeline.audited import Diff
from integration.pipeline.connectors.time_zones import zone_of
from integration.pipeline.dead_letters import editing, replay as replays
from integration.pipeline.dead_letters.corrections import editable
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.pipeline.runs import lifecycle
from integration.pipeline.services import Services
from integration.queries import dead_letters as queries
from integration.words import counted

_COLUMNS = ("id", "kind", "source_id", "number", "event", "category", "died_at", "error")
_ids = click.option("--ids", metavar="IDS", help="Only these, with commas.")
_all = click.option("--all", "every", is_flag=True, help="All that wait, or that the filters name.")


@click.command(name="dead-letters")
@console.connector_argument
@filter_options(DeadQuery)
@console.as_json
def list_dead(connector_id: int, as_json: bool, **typed: Any) -> None:
    """List dead letters, newest first; go on with --before and the last id."""
    with console.opened() as services:
        zone = console.zone(services, connector_id)
        query = asked(DeadQuery, typed, zone.key, connector_id=connector_id)
        with services.db.read() as session:
            page = queries.read_page(session, query)
    rows = [{name: getattr(each, name) for name in _COLUMNS} for each in page.records]
    console.show(
        rows,
        as_json=as_json,
        text=f"{console.table(rows, _COLUMNS, zone)}\n{counted(page.total.number, 'dead letter')}.",
    )


@click.command()
@console.connector_argument
@_ids
@_all
@filter_options(DeadQuery, "status", "limit", "before")
@console.yes_option
@console.as_json
def replay(connector_id: int, ids: str | None, every: bool, yes: bool, as_json: bool, **typed: Any) -> None:
    """Send dead letters again: those with --ids at once, --all or a filter in a run."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        chosen = _chosen(ids, every, typed)
        if chosen is None:
            done = _in_run(services, connector, typed, yes, "Send {} again?", AuditAction.REPLAYED, act="replay")
        else:
            done = _again(services, connector, chosen)
    text = f"The run {done['run']} sends them again." if "run" in done else done.pop("said")
    console.show(done, as_json=as_json, text=text)


@click.command()
@console.connector_argument
@_ids
@_all
@click.option("--reason", required=True, help="Why they are given up; it is kept.")
@filter_options(DeadQuery, "status", "limit", "before")
@console.yes_option
@console.as_json
def discard(
    connector_id: int, ids: str | None, every: bool, reason: str, yes: bool, as_json: bool, **typed: Any
) -> None:
    """Give dead letters up: those with --ids at once, --all or a filter in a run."""
    if not reason.strip():
        raise click.UsageError("--reason is empty; write why they are given up.")
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        chosen = _chosen(ids, every, typed)
        if chosen is None:
            question, action = "Discard {} for good?", AuditAction.DISCARDED
            done = _in_run(services, connector, typed, yes, question, action, act="discard", reason=reason)
        else:
            console.confirmed(yes, f"Discard {counted(len(chosen), 'dead letter')} for good?")
            done = {"discarded": _buried(services, connector, chosen, reason)}
    text = f"The run {done['run']} discards them." if "run" in done else f"{done['discarded']} discarded."
    console.show(done, as_json=as_json, text=text)


def _chosen(ids: str | None, every: bool, typed: dict[str, Any]) -> list[int] | None:
    """Return the ids that are meant, None for what the filters name; nothing at all must not mean everything."""
    filtered = any(value is not None for value in typed.values())
    if sum((ids is not None, every or filtered)) != 1:
        raise click.UsageError("Give either --ids, or a filter, or --all.")
    return numbers(ids, "ids") if ids is not None else None


def _in_run(
    services: Services,
    connector: Connector,
    typed: dict[str, Any],
    yes: bool,
    question: str,
    action: AuditAction,
    **options: Any,
) -> dict[str, Any]:
    zone = zone_of(connector, services.deployment.timezone).key
    query = asked(DeadQuery, typed, zone, connector_id=connector.id)
    with services.db.read() as session:
        total = queries.read_page(session, query).total.number
    console.confirmed(yes, question.format(counted(total, "dead letter")))
    chosen = replays.options_of(query, zone, **options)

    def audit(session: Session, run: Run) -> None:
        console.record(services, session, connector, action, f"run {run.id}", {"options": [None, chosen]})

    run_id = lifecycle.start(
        services, connector.id, RunKind.REPLAY, trigger="command line", options=chosen, audit=audit
    )
    return {"run": run_id}


def _again(services: Services, connector: Connector, ids: Sequence[int]) -> dict[str, Any]:
    with services.db.write() as session:
        came = outbox.requeue(session, services.clock.now(), connector.id, ids)
        services.on_accept(session, connector.id)
        if came.queued:
            diff = {"records": [0, came.queued]}
            console.record(services, session, connector, AuditAction.REPLAYED, "dead letters", diff)
    services.wakeup.ring(connector.id)
    return {"queued": came.queued, "busy": came.busy, "gone": came.gone, "said": replays.said(came)}


def _buried(services: Services, connector: Connector, ids: Sequence[int], reason: str) -> int:
    with services.db.write() as session:
        gone = outbox.bury(session, services.clock.now(), connector.id, ids, reason)
        if gone:
            diff = {"records": [gone, 0], "reason": ["", reason]}
            console.record(services, session, connector, AuditAction.DISCARDED, "dead letters", diff)
    return gone


@click.command()
@click.argument("delivery_id", metavar="DELIVERY", type=int)
@click.argument("assignments", metavar="PATH=VALUE...", nargs=-1, required=True)
@console.as_json
def edit(delivery_id: int, assignments: Sequence[str], as_json: bool) -> None:
    """Correct values of a dead letter, such as billing.email=ada@example.com, and send it again."""
    values = console.assigned(assignments)
    with console.opened() as services:
        with services.db.read() as session:
            row = session.get(Delivery, delivery_id)
            if row is None:
                raise SettingError("DELIVERY", f"There is no record {delivery_id}.", "See `woo-mautic dead-letters`.")
            connector = session.get_one(Connector, row.connector_id)
        if unknown := sorted(set(values) - set(editable(row.payload or {}))):
            known = ", ".join(editable(row.payload or {}))
            raise SettingError("PATH", f"The record has no value “{unknown[0]}”.", f"It has {known}.")

        def audit(session: Session, diff: Diff) -> None:
            console.record(services, session, connector, AuditAction.EDITED, f"record {delivery_id}", diff)

        diff = editing.edit(services, row, values, audit=audit)
    text = "\n".join(f"{path}: {before} -> {after}" for path, (before, after) in diff.items())
    console.show(diff, as_json=as_json, text=f"{text}\nIt is sent again.")


COMMANDS: tuple[click.Command, ...] = (list_dead, replay, discard, edit)
