"""The API for machines, under /api/v1: logs, records, runs, sending again (G3)."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.payload_file import PayloadFile
from integration.models.run import Run
from integration.models.sql import Total
from integration.pipeline import outbox
from integration.pipeline.connectors import store_profile
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.pipeline.runs import (
    cancelling,
    lifecycle as run_lifecycle,
    options as run_options,
    progress as run_progress,
    resumption,
)
from integration.queries import (
    dead_letters as querie_dead_letters,
    record_statuses,
    records as querie_records,
    runs as querie_runs,
    sync_log,
)
from integration.queries.record_filters import RecordQuery
from integration.queries.runs import RunQuery
from integration.queries.sync_log_filters import LogQuery
from integration.web.frame import filters
from integration.web.frame.services import services
from integration.web.machines import authentication, bodies, request_bodies
from integration.web.machines.authentication import NOT_FOUND, Refused, connector_of_token, needs_scope
from integration.web.operations.payloads import sent

Row = TypeVar("Row", bound=bodies.Answer)
bp = Blueprint("api", __name__, url_prefix="/api/v1")


def _row(model: type[Row], row: object, **more: Any) -> Row:
    """Return a row of an answer: its fields are the row's, but for those given."""
    return model(**{name: getattr(row, name) for name in model.model_fields if name not in more}, **more)


def _counted(total: Total) -> dict[str, Any]:
    """Return what a page of a list says of the whole."""
    return {"total": total.number, "exact": total.exact}


@bp.get("/connectors")
@needs_scope("logs")
def connectors() -> ResponseReturnValue:
    """List the connectors of the token's organisation."""
    with services().db.read() as session:
        found = authentication.connectors_of_token(session)
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "state": each.state,
                "waiting": outbox.open_count(session, connector_id=each.id),
                "dead_letters": querie_dead_letters.waiting(session, each.id),
            }
            for each in found
        ]
    return bodies.answered(bodies.Connectors, connectors=rows)


@bp.get("/connectors/<int:connector_id>/log")
@needs_scope("logs", LogQuery)
def log(connector_id: int) -> ResponseReturnValue:
    """Give one page of the sync log, with the filters of its page."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = LogQuery.parse(connector_id, request.args, filters.zone_of(connector).key)
        page = sync_log.read_page(session, query)
    entries = [_row(bodies.LogEntry, entry) for entry in page.entries]
    return bodies.answered(
        bodies.LogPage, entries=entries, page=page.page, pages=page.pages, notices=notices, **_counted(page.total)
    )


@bp.get("/connectors/<int:connector_id>/records")
@needs_scope("logs", RecordQuery)
def records(connector_id: int) -> ResponseReturnValue:
    """Give one page of records, with the filters of their page; go on with `before` = `older`."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = RecordQuery.parse([connector_id], request.args, filters.zone_of(connector).key)
        page = querie_records.read_page(session, query)
    rows = [_row(bodies.RecordRow, row, status=record_statuses.status_of(row).label) for row in page.records]
    total = _counted(page.figures.found)
    return bodies.answered(bodies.Records, records=rows, older=page.older, notices=[*notices, *page.notices], **total)


@bp.get("/connectors/<int:connector_id>/runs")
@needs_scope("logs", RunQuery)
def run_list(connector_id: int) -> ResponseReturnValue:
    """Give one page of runs, newest first."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = RunQuery.parse(connector_id, request.args, filters.zone_of(connector).key)
        found, older = querie_runs.read_list(session, query)
        waiting = querie_runs.waiting_of(session, found)
        total = querie_runs.count(session, query)
    rows = [_run_row(each, waiting[each.id]) for each in found]
    return bodies.answered(bodies.Runs, runs=rows, older=older, notices=notices, **_counted(total))


@bp.get("/runs/<int:run_id>")
@needs_scope("logs")
def run(run_id: int) -> ResponseReturnValue:
    """Give one run with its progress."""
    with services().db.read() as session:
        found, _ = _run(session, run_id)
        progress = run_progress.progress(session, run_id, services().clock.now())
    row = _run_row(found, progress.left)
    return bodies.answered(bodies.RunWithProgress, run=row, progress=_row(bodies.Progress, progress))


def _run_row(run: Run, waiting: int) -> bodies.RunRow:
    asked = {"being_cancelled": run.is_being_cancelled, "being_paused": run.is_being_paused}
    return _row(bodies.RunRow, run, waiting=waiting, dry_run=run.is_dry, **asked)


def _run(session: Session, run_id: int) -> tuple[Run, Connector]:
    found = session.get(Run, run_id)
    if found is None:
        raise NOT_FOUND
    return found, connector_of_token(session, found.connector_id)


@bp.get("/runs/<int:run_id>/lines")
@needs_scope("logs", request_bodies.LinesAfter)
def lines(run_id: int) -> ResponseReturnValue:
    """Give the lines of a run behind the id `after`, at most 1,000."""
    query, _ = request_bodies.LinesAfter.from_url(request.args)
    with services().db.read() as session:
        _run(session, run_id)
        found = querie_runs.new_lines(session, run_id, query.after)
    rows = [_row(bodies.RunLineRow, line) for line in found.lines]
    return bodies.answered(bodies.RunLines, lines=rows, last=found.last)


@bp.post("/connectors/<int:connector_id>/runs")
@needs_scope("runs")
def start(connector_id: int) -> ResponseReturnValue:
    """Start a run with the options of its page; a list that is empty is refused, for it must not mean all."""
    body = request_bodies.received()
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
    try:
        options = run_options.checked(body, filters.zone_of(connector).key, list(store_profile.statuses(connector)))
    except ValidationError as error:
        raise request_bodies.wrong(error, run_options.RunOptions, body) from None
    trigger = f"API: {authentication.token().name}"
    stored = options.stored()

    def audit(session: Session, run: Run) -> None:
        authentication.record(session, AuditAction.SYNC_TRIGGERED, f"run {run.id}", connector, options=stored)

    run_id = run_lifecycle.start(services(), connector_id, options.kind, trigger=trigger, options=stored, audit=audit)
    values = {"kind": options.kind, "dry_run": options.dry_run, "options": stored}
    return bodies.answered(bodies.StartedRun, 202, run=run_id, **values)


@bp.post("/runs/<int:run_id>/cancel")
@needs_scope("runs")
def cancel(run_id: int) -> ResponseReturnValue:
    """Ask a run to stop after the batch in flight."""
    with services().db.read() as session:
        _, connector = _run(session, run_id)

    def audit(session: Session, run: Run) -> None:
        authentication.record(session, AuditAction.SYNC_CANCELLED, f"run {run.id}", connector)

    if not cancelling.cancel(services(), run_id, audit=audit):
        raise Refused(409, "ended", "The run has ended already.", "There is nothing to cancel.")
    return bodies.answered(bodies.RunNumber, 202, run=run_id)


@bp.post("/runs/<int:run_id>/pause")
@needs_scope("runs")
def pause(run_id: int) -> ResponseReturnValue:
    """Ask a run to rest where it stands; resume lets it go on."""
    with services().db.read() as session:
        _, connector = _run(session, run_id)

    def audit(session: Session, run: Run) -> None:
        authentication.record(session, AuditAction.SYNC_PAUSED, f"run {run.id}", connector)

    run_lifecycle.pause(services(), run_id, audit=audit)
    return bodies.answered(bodies.RunNumber, 202, run=run_id)


@bp.post("/runs/<int:run_id>/resume")
@needs_scope("runs")
def resume(run_id: int) -> ResponseReturnValue:
    """Let an ended run go on; the answer names the run that goes on, a new one where it must begin again."""
    with services().db.read() as session:
        _, connector = _run(session, run_id)

    def audit(session: Session, run: Run) -> None:
        authentication.record(session, AuditAction.SYNC_TRIGGERED, f"run {run.id}", connector, resumed=run_id)

    going = resumption.resume(services(), run_id, audit=audit)
    return bodies.answered(bodies.RunNumber, 202, run=going)


@bp.get("/runs/<int:run_id>/payloads/<int:file_id>")
@needs_scope("runs")
def payload(run_id: int, file_id: int) -> ResponseReturnValue:
    """Give a payload file of a run (C7)."""
    with services().db.read() as session:
        _run(session, run_id)
        file = session.get(PayloadFile, file_id)
    if file is None or file.run_id != run_id:
        raise NOT_FOUND
    return sent(file)


@bp.get("/connectors/<int:connector_id>/dead-letters")
@needs_scope("logs", DeadQuery)
def dead_letters(connector_id: int) -> ResponseReturnValue:
    """Give one page of dead letters, with the filters of their page."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = DeadQuery.parse(connector_id, request.args, filters.zone_of(connector).key)
        page = querie_dead_letters.read_page(session, query)
    rows = [_row(bodies.DeadLetterRow, row, attempts=row.attempts_in_all) for row in page.records]
    total = _counted(page.total)
    return bodies.answered(
        bodies.DeadLetters, dead_letters=rows, older=page.older, notices=[*notices, *page.notices], **total
    )


@bp.post("/connectors/<int:connector_id>/replay")
@needs_scope("replay")
def replay(connector_id: int) -> ResponseReturnValue:
    """Send dead letters again, by their ids."""
    body = request_bodies.received()
    try:
        ids = request_bodies.Replay.model_validate(body).ids
    except ValidationError as error:
        raise request_bodies.wrong(error, request_bodies.Replay, body) from None
    with services().db.write() as session:
        connector = connector_of_token(session, connector_id)
        came = outbox.requeue(session, services().clock.now(), connector_id, ids)
        services().on_accept(session, connector_id)
        if came.queued:
            authentication.record(session, AuditAction.REPLAYED, "dead letters", connector, records=came.queued)
    services().wakeup.ring(connector_id)
    return bodies.answered(bodies.Replayed, 202, queued=came.queued, busy=came.busy, gone=came.gone)
