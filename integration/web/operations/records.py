"""The record log: one row per record that moved through the pipeline (A1 to A4, A6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration import streams
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import RunKind
from integration.models.user import Role
from integration.pipeline import outbox
from integration.queries import record_filters, record_statuses, records
from integration.queries.record_filters import RecordQuery
from integration.url_filters import id_of, without
from integration.web.frame import filters, selection
from integration.web.frame.access import connector_view, me, needs, own_connectors
from integration.web.frame.services import services
from integration.web.operations import run_start
from integration.web.operations.links import Addresses

bp = Blueprint("records", __name__, url_prefix="/connectors/<int:connector_id>/records")
EVERY = "all"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: connectors, and the entity types of those that are chosen."""

    connectors: Mapping[str, str]
    kinds: Mapping[str, str]
    statuses: Mapping[str, str]
    operations: Mapping[str, str]
    limits: tuple[int, ...] = (25, 50, 100, 250, 500)


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the records that fit the address, newest first, with the figures of all of them."""
    asked = request.args.get("connector", "")
    other = id_of(asked)
    if other is not None and other != connector.id:
        others = {name: value for name, value in request.args.items() if name not in ("connector", "before")}
        return redirect(url_for("records.index", connector_id=other, **others))  # type: ignore[arg-type]  # values of the address
    with services().db.read() as session:
        own = own_connectors(session)
        chosen = own if asked == EVERY else [connector]
        query, notices = parse(connector, chosen, request.args)
        page = records.read_page(session, query)
    return render_template(
        "operations/records/index.html",
        connector=connector,
        names={each.id: each.name for each in own},
        query=query,
        page=page,
        notices=[*notices, *page.notices],
        older_url=_older(connector.id, query, page.older),
        choices=choices(own, chosen, query),
        status_of=record_statuses.status_of,
        addresses={each.id: Addresses(each) for each in chosen},
        may_run=me().may(Role.SUPPORT),
    )


@bp.post("/complete")
@needs(Role.SUPPORT)
@connector_view
def complete(connector: Connector) -> ResponseReturnValue:
    """Start a run that sends again what partial successes lack: those of one error, or those of the list's filter."""
    back = url_for("records.index", connector_id=connector.id, status="partial", run=request.form.get("run") or None)
    ids = _lacking(connector)
    if not ids:
        flash("No record lacks anything any more.", "warn")
        return redirect(back)
    options, diff = {"act": "replay", "ids": ids}, {"records": [0, len(ids)]}
    run_id = run_start.begin(connector, RunKind.REPLAY, diff=diff, options=options, action=AuditAction.REPLAYED)
    if run_id is None:
        return redirect(back)
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


def _lacking(connector: Connector) -> list[int]:
    """Return the ids of the partial successes that a form means; raises SettingError where it does not say which."""
    code = request.form.get("code", "")
    if code:
        with services().db.read() as session:
            return list(outbox.partial_ids(session, connector.id, code))
    values = selection.filter_of(request.form)
    query, notices = RecordQuery.parse([connector.id], values, filters.zone_of(connector).key)
    selection.understood(notices)
    if query.status != "partial":
        raise SettingError("status", "It was not said which records are to be sent again.", "Choose on the list.")
    with services().db.read() as session:
        return records.ids_of(session, query, outbox.PARTIAL_MAX)


def parse(connector: Connector, chosen: list[Connector], args: Mapping[str, str]) -> tuple[RecordQuery, list[str]]:
    """Return the query of an address; an entity type that the connector does not sync is said, not refused."""
    every = args.get("connector") == EVERY
    query, notices = RecordQuery.parse(
        [each.id for each in chosen], without(args, "connector"), filters.zone_of(connector).key, every=every
    )
    known = {kind for each in chosen for kind in streams.entities(services().modules(each))}
    if query.kind and query.kind not in known:
        notices.append(
            f"{streams.labels(query.kind).entity} is not synced by this connector now; older rows are shown."
        )
    return query, notices


def choices(own: list[Connector], chosen: list[Connector], query: RecordQuery) -> Choices:
    """Return what the filters offer."""
    kinds: dict[str, str] = {}
    for each in chosen:
        kinds |= streams.entities(services().modules(each))
    if query.kind:
        kinds[query.kind] = streams.labels(query.kind).entity
    connectors = {str(each.id): each.name for each in own}
    return Choices(
        {EVERY: "All connectors", **connectors} if len(own) > 1 else connectors,
        kinds,
        {status.code: status.label for status in record_statuses.STATUSES.values()},
        record_filters.OPERATIONS,
    )


def _older(connector_id: int, query: RecordQuery, before: int | None) -> str | None:
    if before is None:
        return None
    values: dict[str, Any] = query.args(before=before, connector=EVERY if query.every else None)
    return url_for("records.index", connector_id=connector_id, **values)
