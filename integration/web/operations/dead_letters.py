"""Dead letters: what waits for a person, grouped by cause; sent again or discarded, one, ticked or all (B1 to B6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration import streams
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import RunKind
from integration.models.sql import Total
from integration.models.user import Role
from integration.pipeline import outbox
from integration.pipeline.dead_letters import filters as dead_letter_filters, replay
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.queries import dead_letter_causes, dead_letters
from integration.web.frame import filters, selection
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.services import services
from integration.web.operations import run_start
from integration.web.operations.links import Addresses

bp = Blueprint("dead_letters", __name__, url_prefix="/connectors/<int:connector_id>/dead-letters")


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show what waits, its causes, and the ways to send it again."""
    with services().db.read() as session:
        query, notices = _query(connector, request.args)
        page = dead_letters.read_page(session, query)
        groups = dead_letter_causes.groups(session, connector.id)
    older = url_for("dead_letters.index", connector_id=connector.id, **query.args(before=page.older))
    return render_template(
        "operations/dead_letters/index.html",
        connector=connector,
        query=query,
        page=page,
        groups=groups,
        notices=[*notices, *page.notices],
        older_url=older if page.older else None,
        choices=dead_letter_filters,
        addresses=Addresses(connector),
        kinds=streams.entities(),
        may_act=me().may(Role.SUPPORT),
    )


def _query(connector: Connector, args: Mapping[str, str]) -> tuple[DeadQuery, list[str]]:
    return DeadQuery.parse(connector.id, selection.filter_of(args), filters.zone_of(connector).key)


@bp.post("/ticked")
@needs(Role.SUPPORT)
@connector_view
def ticked(connector: Connector) -> ResponseReturnValue:
    """Send the ticked ones again, or go on to the page that asks why they are discarded."""
    ids = selection.ticked(request.form.getlist("id"))
    if not ids:
        flash("No record was ticked.", "warn")
        return _back(connector.id)
    if request.form.get("act") == "discard":
        return redirect(url_for("dead_letters.discard", connector_id=connector.id, id=ids))
    with services().db.write() as session:
        came = outbox.requeue(session, services().clock.now(), connector.id, ids)
        if came.queued:
            services().on_accept(session, connector.id)
            record(session, AuditAction.REPLAYED, "dead letters", {"records": [0, came.queued]}, connector)
    services().wakeup.ring(connector.id)
    flash(replay.said(came), "ok" if came.queued else "warn")
    return _back(connector.id)


@bp.get("/replay")
@needs(Role.SUPPORT)
@connector_view
def replay_all(connector: Connector) -> ResponseReturnValue:
    """Ask before everything that matches is sent again."""
    return _ask(connector, "operations/dead_letters/replay.html")


@bp.post("/replay")
@needs(Role.SUPPORT)
@connector_view
def replay_all_post(connector: Connector) -> ResponseReturnValue:
    """Start a run that sends everything that matches again; it can be watched and cancelled."""
    ids = selection.ticked(request.form.getlist("id"))
    if not ids:
        selection.meant_all(request.form)
    return _start(connector, AuditAction.REPLAYED, act="replay", **({"ids": ids} if ids else {}))


@bp.get("/discard")
@needs(Role.SUPPORT)
@connector_view
def discard(connector: Connector) -> ResponseReturnValue:
    """Ask for the reason before the ticked ones, or everything that matches, are discarded."""
    return _ask(connector, "operations/dead_letters/discard.html")


def _ask(connector: Connector, template: str, error: str = "") -> ResponseReturnValue:
    values = request.values
    ids = selection.ticked(values.getlist("id"))
    with services().db.read() as session:
        query, notices = _query(connector, values)
        selection.understood(notices)
        page = dead_letters.read_page(session, query)
    total = Total(len(ids)) if ids else page.total
    body = render_template(template, connector=connector, query=query, total=total, ids=ids, error=error)
    return (body, 400) if error else body


@bp.post("/discard")
@needs(Role.SUPPORT)
@connector_view
def discard_post(connector: Connector) -> ResponseReturnValue:
    """Discard the ticked ones at once, or everything that matches in a run."""
    reason = request.form.get("reason", "").strip()
    if not reason:
        return _ask(
            connector, "operations/dead_letters/discard.html", "Write why they are given up; the reason is kept."
        )
    ids = selection.ticked(request.form.getlist("id"))
    if not ids:
        selection.meant_all(request.form)
        return _start(connector, AuditAction.DISCARDED, act="discard", reason=reason)
    with services().db.write() as session:
        gone = outbox.bury(session, services().clock.now(), connector.id, ids, reason)
        if gone:
            diff = {"records": [gone, 0], "reason": ["", reason]}
            record(session, AuditAction.DISCARDED, "dead letters", diff, connector)
    flash(f"{gone:,} discarded.", "ok")
    return _back(connector.id)


def _start(connector: Connector, action: AuditAction, **options: Any) -> ResponseReturnValue:
    query, notices = _query(connector, request.form)
    selection.understood(notices)
    chosen = replay.options_of(query, filters.zone_of(connector).key, **options)
    diff = {"options": [None, chosen]}
    return _on_to(connector, run_start.begin(connector, RunKind.REPLAY, options=chosen, diff=diff, action=action))


def _on_to(connector: Connector, run_id: int | None) -> ResponseReturnValue:
    """Go on to the run that was started, back to the list where none was."""
    if run_id is None:
        return _back(connector.id)
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


@bp.post("/window")
@needs(Role.SUPPORT)
@connector_view
def window(connector: Connector) -> ResponseReturnValue:
    """Recover a window of time: everything that changed in the store since, or everything that failed since."""
    query, notices = _query(connector, {"since": request.form.get("since", "")})
    if query.since is None:
        flash(notices[0] if notices else "Write since when: a date and a time.", "bad")
        return _back(connector.id)
    what = request.form.get("what")
    if what not in ("failed", "changed"):
        raise SettingError("what", "It was not said what is to be sent.", "Choose what changed, or what failed.")
    if what == "failed":
        return _start(connector, AuditAction.REPLAYED, act="replay")
    options = {"since": query.since.isoformat()}
    diff = {"options": [None, options]}
    return _on_to(connector, run_start.begin(connector, RunKind.BULK, options=options, diff=diff))


def _back(connector_id: int) -> ResponseReturnValue:
    return redirect(url_for("dead_letters.index", connector_id=connector_id))
