"""The API for machines, under /api/v1: logs, records, runs, sending again (G3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.payload_file import PayloadFile
from integration.models.run import Run
from integration.pipeline import outbox
from integration.pipeline.connectors import store_profile
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.pipeline.runs import lifecycle as run_lifecycle, options as run_options, progress as run_progress
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
from integration.web.machines import authentication
from integration.web.machines.authentication import NOT_FOUND, Refused, connector_of_token, needs_scope
from integration.web.operations.payloads import sent

bp = Blueprint("api", __name__, url_prefix="/api/v1")
_RUN = ("id", "kind", "state", "trigger", "correlation_id", "pulled", "pushed", "skipped", "failed", "calls")
_RECORD = ("id", "kind", "source_id", "number", "event", "state", "result", "contact_id", "run_id")
_ERROR = ("error_code", "error")
_ENTRY = ("id", "type", "object_id", "action", "status", "contact_id", "message", "delivery_id", "run_id")
MOST_IDS = 500


def _plain(row: object, names: tuple[str, ...], *moments: str) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return values | {name: _iso(getattr(row, name)) for name in moments}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


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
    return jsonify(connectors=rows)


@bp.get("/connectors/<int:connector_id>/log")
@needs_scope("logs")
def log(connector_id: int) -> ResponseReturnValue:
    """Give one page of the sync log, with the filters of its page."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = LogQuery.parse(connector_id, request.args, filters.zone_of(connector).key)
        page = sync_log.read_page(session, query)
    entries = [_plain(entry, _ENTRY, "at") for entry in page.entries]
    return jsonify(entries=entries, total=page.total, page=page.page, pages=page.pages, notices=notices)


@bp.get("/connectors/<int:connector_id>/records")
@needs_scope("logs")
def records(connector_id: int) -> ResponseReturnValue:
    """Give one page of records, with the filters of their page; go on with `before` = `older`."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = RecordQuery.parse([connector_id], request.args, filters.zone_of(connector).key)
        page = querie_records.read_page(session, query)
    rows = [
        _plain(row, _RECORD + _ERROR, "created_at", "started_at", "settled_at")
        | {"status": record_statuses.status_of(row).label}
        for row in page.records
    ]
    return jsonify(records=rows, total=page.figures.total, exact=page.figures.exact, older=page.older, notices=notices)


@bp.get("/connectors/<int:connector_id>/runs")
@needs_scope("logs")
def run_list(connector_id: int) -> ResponseReturnValue:
    """Give one page of runs, newest first."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = RunQuery.parse(connector_id, request.args, filters.zone_of(connector).key)
        found, older = querie_runs.read_list(session, query)
    return jsonify(runs=[_shown(run) for run in found], older=older, notices=notices)


def _shown(run: Run) -> dict[str, Any]:
    return _plain(run, _RUN, "created_at", "started_at", "ended_at") | {"error": run.error}


@bp.get("/runs/<int:run_id>")
@needs_scope("logs")
def run(run_id: int) -> ResponseReturnValue:
    """Give one run with its progress."""
    with services().db.read() as session:
        found, _ = _run(session, run_id)
        progress = run_progress.progress(session, run_id, services().clock.now())
    figures = {"done": progress.done, "expected": progress.expected, "waiting": progress.waiting, "rate": progress.rate}
    return jsonify(run=_shown(found), progress=figures)


def _run(session: Session, run_id: int) -> tuple[Run, Connector]:
    found = session.get(Run, run_id)
    if found is None:
        raise NOT_FOUND
    return found, connector_of_token(session, found.connector_id)


@bp.get("/runs/<int:run_id>/lines")
@needs_scope("logs")
def lines(run_id: int) -> ResponseReturnValue:
    """Give the lines of a run behind the id `after`, at most 1,000."""
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused(400, "after", f"“{text[:20]}” is no id of a line.", "Give the `last` of the answer before.")
    with services().db.read() as session:
        _run(session, run_id)
        found = querie_runs.new_lines(session, run_id, int(text))
    rows = [_plain(line, ("id", "level", "text", "payload_file_id"), "at") for line in found.lines]
    return jsonify(lines=rows, last=found.last)


@bp.post("/connectors/<int:connector_id>/runs")
@needs_scope("runs")
def start(connector_id: int) -> ResponseReturnValue:
    """Start a run: {"kind": …, "only": […], "since": …, "until": …, "ids": […], "dry_run": …}."""
    body = _body()
    _checked(body)
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
    lists = {name: body.get(name, []) for name in ("only", "statuses")}
    lists["only"] = lists["only"] or list(run_options.ENTITIES)
    form = {name: str(value) for name, value in body.items() if value and not isinstance(value, list)}
    form["ids"] = ",".join(map(str, body.get("ids", [])))
    typed = run_options.read(form, lists, filters.zone_of(connector).key, list(store_profile.statuses(connector)))
    if typed.errors:
        name, sentence = next(iter(typed.errors.items()))
        raise Refused(422, name, sentence, f"Correct “{name}”.")
    trigger = f"API: {authentication.token().name}"
    run_id = run_lifecycle.start(services(), connector_id, typed.kind, trigger=trigger, options=typed.options)
    with services().db.write() as session:
        authentication.record(session, AuditAction.SYNC_TRIGGERED, f"run {run_id}", connector, options=typed.options)
    return jsonify(run=run_id), 202


#: Name of a list in the body of a run -> the type of its members.
_LISTS: dict[str, type] = {"ids": int, "only": str, "statuses": str}
_TEXTS = ("kind", "since", "until", "page_size")


def _checked(body: dict[str, Any]) -> None:
    """Raise Refused (422) for a name that means nothing, and for a list that is none or empty: neither means “all”."""
    known = {*_LISTS, *_TEXTS, *run_options.SWITCHES}
    if unknown := sorted(set(body) - known):
        raise Refused(422, unknown[0], f"There is no option “{unknown[0][:40]}”.", f"Use {', '.join(sorted(known))}.")
    for name, kind in _LISTS.items():
        value = body.get(name)
        if name in body and not (isinstance(value, list) and value and all(type(each) is kind for each in value)):
            noun = "numbers" if kind is int else "texts"
            raise Refused(422, name, f"“{name}” must be a list of {noun}, and not empty.", "Leave it out for all.")
    for name in run_options.SWITCHES:
        if name in body and not isinstance(body[name], bool):
            raise Refused(422, name, f"“{name}” must be true or false.", "Correct it.")


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "body", "The body is no JSON object.", "Send Content-Type: application/json.")
    return body


@bp.post("/runs/<int:run_id>/cancel")
@needs_scope("runs")
def cancel(run_id: int) -> ResponseReturnValue:
    """Ask a run to stop after the batch in flight."""
    with services().db.read() as session:
        _, connector = _run(session, run_id)
    run_lifecycle.cancel(services(), run_id)
    with services().db.write() as session:
        authentication.record(session, AuditAction.SYNC_CANCELLED, f"run {run_id}", connector)
    return jsonify(run=run_id), 202


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
@needs_scope("logs")
def dead_letters(connector_id: int) -> ResponseReturnValue:
    """Give one page of dead letters, with the filters of their page."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        query, notices = DeadQuery.parse(connector_id, request.args, filters.zone_of(connector).key)
        page = querie_dead_letters.read_page(session, query)
    rows = [
        _plain(row, (*_RECORD, *_ERROR, "category", "attempts", "failures"), "died_at", "failing_since")
        for row in page.records
    ]
    return jsonify(dead_letters=rows, total=page.total, older=page.older, notices=notices)


@bp.post("/connectors/<int:connector_id>/replay")
@needs_scope("replay")
def replay(connector_id: int) -> ResponseReturnValue:
    """Send dead letters again: {"ids": […]}, at most 500."""
    ids = _body().get("ids")
    if not isinstance(ids, list) or not ids or len(ids) > MOST_IDS or not all(type(each) is int for each in ids):
        raise Refused(
            400, "ids", f"“ids” must be a list of 1 to {MOST_IDS} record ids.", "Take them from dead-letters."
        )
    with services().db.write() as session:
        connector = connector_of_token(session, connector_id)
        came = outbox.requeue(session, services().clock.now(), connector_id, ids)
        authentication.record(session, AuditAction.REPLAYED, "dead letters", connector, records=came.queued)
        services().on_accept(session, connector_id)
    services().wakeup.ring(connector_id)
    return jsonify(queued=came.queued, busy=came.busy, gone=came.gone), 202
