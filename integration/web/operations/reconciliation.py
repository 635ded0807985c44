"""Reconciliation: what differs between store and Mautic, and its repair; webhook gaps; read-back (X4, X6, X9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.drift import Drift, Reconciliation
from integration.models.run import Run
from integration.models.user import Role
from integration.operations import reconciliation
from integration.operations.reconciliation import DriftQuery, listing, read_back, webhook_gaps
from integration.operations.reconciliation.repairs import REPAIRABLE
from integration.pipeline.audited import Audit
from integration.url_filters import without
from integration.web.frame import live, selection
from integration.web.frame.access import connector_view, me, needs, record, row_view
from integration.web.frame.services import services
from integration.web.operations.links import Addresses
from integration.words import counted

bp = Blueprint("reconciliation", __name__, url_prefix="/connectors/<int:connector_id>/reconciliation")
#: Phase -> what is done in it.
PHASES: Mapping[str, str] = {
    "ledger": "reading the list of orders",
    "customers": "comparing customers",
    "buyers": "comparing people who ordered without an account",
    "links": "looking for contacts whose person the store has no more",
    "strangers": "looking for other contacts with our fields",
}


@dataclass(frozen=True, slots=True)
class Value:
    """One line of a difference as it is shown: what the store gives, what Mautic has."""

    name: str
    wanted: str
    held: str


def values_of(row: Drift) -> list[Value]:
    """Return the lines of a row's detail; twins are named by the page itself."""
    return [
        _value(alias, *pair)
        for alias, pair in row.detail.items()
        if alias != "contacts" and isinstance(pair, list) and len(pair) == 2
    ]


def _value(alias: str, wanted: Any, held: Any) -> Value:
    if alias.startswith("tag:"):
        words = {True: "set", False: "not set"}
        return Value(f"Tag “{alias.removeprefix('tag:')}”", words.get(wanted, ""), words.get(held, ""))
    return Value(alias, _shown(wanted), _shown(held))


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the last reconciliations, the drift of one of them, webhook gaps and the read-back figures."""
    with services().db.read() as session:
        latest = reconciliation.latest(session, connector.id)
        chosen, notices = _chosen(session, connector.id, latest)
        shown = _shown_drift(session, connector.id, chosen, notices)
        found = webhook_gaps.recent(session, connector.id)
        proofs = read_back.proofs(session, connector.id, services().clock.now())
    going = next((row for row in latest if row.ended_at is None), None)
    return render_template(
        "operations/reconciliation/index.html",
        connector=connector,
        latest=latest,
        chosen=chosen,
        going=going,
        notices=notices,
        gaps=found,
        proofs=proofs,
        phases=PHASES,
        kinds=reconciliation.KINDS,
        addresses=Addresses(connector),
        may_act=me().may(Role.SUPPORT),
        **shown,
    )


def _chosen(session: Session, connector_id: int, latest: Any) -> tuple[Reconciliation | None, list[str]]:
    """Return the reconciliation of the address, else the newest one."""
    number = request.args.get("number", "")
    newest = latest[0] if latest else None
    if not number:
        return newest, []
    fits = number.isascii() and number.isdigit() and len(number) < 19
    found = listing.one(session, connector_id, int(number)) if fits else None
    return (found, []) if found else (newest, ["There is no such reconciliation, so the newest one is shown."])


def _shown_drift(
    session: Session, connector_id: int, chosen: Reconciliation | None, notices: list[str]
) -> dict[str, Any]:
    if chosen is None:
        return {"query": None, "page": None, "rows": [], "repairable": 0}
    query, said = DriftQuery.parse(connector_id, chosen.id, without(request.args, "number"))
    notices += said
    page = reconciliation.read_page(session, query)
    return {
        "query": query,
        "page": page,
        "rows": [(row, values_of(row), row.kind in REPAIRABLE) for row in page.rows],
        "repairable": listing.repairable(session, query, REPAIRABLE),
    }


@bp.get("/progress")
@connector_view
def progress(connector: Connector) -> ResponseReturnValue:
    """Show how far the one that goes is; a fragment, which reloads the page at its end."""
    with services().db.read() as session:
        going = reconciliation.going(session, connector.id)
    here = url_for("reconciliation.index", connector_id=connector.id)
    if not live.is_part():
        return redirect(here)
    if going is None:
        return "", 200, {"HX-Redirect": here}
    return render_template(
        "operations/reconciliation/_progress.html",
        connector=connector,
        going=going,
        phases=PHASES,
        may_act=me().may(Role.SUPPORT),
    )


@bp.post("/start")
@needs(Role.SUPPORT)
@connector_view
def start(connector: Connector) -> ResponseReturnValue:
    """Begin a reconciliation now."""
    if not connector.store_url or not connector.mautic_url:
        flash("Connect the store and Mautic first; there is nothing to compare yet.", "warn")
        return _back(connector.id)
    try:
        reconciliation.start(services(), connector.id, me().email, audit=_audit(AuditAction.SYNC_TRIGGERED, connector))
    except reconciliation.ReconciliationGoing as going:
        flash(str(going), "warn")
        return _back(connector.id)
    flash("The reconciliation begins within seconds.", "ok")
    return _back(connector.id)


@bp.post("/<int:number>/cancel")
@needs(Role.SUPPORT)
@row_view(Reconciliation, "number")
def cancel(connector: Connector, run: Reconciliation) -> ResponseReturnValue:
    """Stop the one that goes; what it has found stays."""
    audit = _audit(AuditAction.SYNC_CANCELLED, connector)
    if reconciliation.cancel(services(), connector.id, run.id, audit=audit):
        flash("It stops after the page in hand; what it found stays.", "ok")
    else:
        flash("It has ended already.", "warn")
    return _back(connector.id)


def _audit(action: AuditAction, connector: Connector) -> Audit[Run]:
    return lambda session, run: record(session, action, f"reconciliation {run.id}", None, connector)


@bp.post("/<int:number>/repair")
@needs(Role.SUPPORT)
@row_view(Reconciliation, "number")
def repair(connector: Connector, run: Reconciliation) -> ResponseReturnValue:
    """Repair one row, or the ticked ones."""
    ids = selection.ticked([request.form["one"]] if request.form.get("one") else request.form.getlist("id"))
    if not ids:
        flash("No row was ticked.", "warn")
        return _back(connector.id, run.id)
    return _ask(connector, run.id, ids=ids)


@bp.get("/<int:number>/repair-all")
@needs(Role.SUPPORT)
@row_view(Reconciliation, "number")
def repair_all(connector: Connector, run: Reconciliation) -> ResponseReturnValue:
    """Ask before everything of a kind, or everything, is repaired."""
    query, notices = DriftQuery.parse(connector.id, run.id, without(request.args, "number"))
    selection.understood(notices)
    with services().db.read() as session:
        total = listing.repairable(session, query, REPAIRABLE)
    return render_template(
        "operations/reconciliation/repair.html",
        connector=connector,
        query=query,
        total=total,
        kinds=reconciliation.KINDS,
    )


@bp.post("/<int:number>/repair-all")
@needs(Role.SUPPORT)
@row_view(Reconciliation, "number")
def repair_all_post(connector: Connector, run: Reconciliation) -> ResponseReturnValue:
    """Repair everything of a kind, or everything."""
    query, notices = DriftQuery.parse(connector.id, run.id, selection.filter_of(request.form))
    selection.understood(notices)
    if not query.kind:
        selection.meant_all(request.form)
    return _ask(connector, run.id, kind=query.kind or None)


def _ask(connector: Connector, number: int, **which: Any) -> ResponseReturnValue:
    with services().db.write() as session:
        asked = reconciliation.ask(session, services().clock.now(), connector.id, number, **which)
        if asked:
            diff = {"records": [0, asked], "kind": ["", which.get("kind") or "all"]}
            record(session, AuditAction.REPAIRED, f"reconciliation {number}", diff, connector)
    if asked:
        records = counted(asked, "record is", "records are")
        flash(f"{records} read from the store again and given to the sync, beginning within seconds.", "ok")
    else:
        flash("Nothing was left to repair: it was asked for already, or cannot be repaired from here.", "warn")
    return _back(connector.id, number)


def _back(connector_id: int, number: int | None = None) -> ResponseReturnValue:
    return redirect(url_for("reconciliation.index", connector_id=connector_id, number=number))
