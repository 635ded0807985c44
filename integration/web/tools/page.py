"""The Tools tab: the Sync Log (P80 to P88), its export (P90), clearing, and the settings to take away (P89)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.sync_log import SyncLogEntry
from integration.models.user import Role
from integration.pipeline.connectors import connectors
from integration.pipeline.sync_log import clearing as sync_log_clearing
from integration.pipeline.sync_log.counts import total as total_entries
from integration.queries import sync_log, sync_log_filters
from integration.queries.sync_log_filters import LogQuery
from integration.url_filters import ID_MAX_DIGITS
from integration.web.frame import filters, selection
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.services import services
from integration.web.modules import cart_answers
from integration.web.operations.links import Addresses
from integration.web.tools import export
from integration.words import counted

bp = Blueprint("tools", __name__, url_prefix="/connectors/<int:connector_id>/tools")
LOOK_BACK_MAX_DAYS = 36_500


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the tab with the number of entries; the table opens below."""
    with services().db.read() as session:
        total = total_entries(session, connector.id)
    return render_template("tools/index.html", connector=connector, total=total, may_clear=_may_clear())


@bp.get("/log")
@connector_view
def log(connector: Connector) -> ResponseReturnValue:
    """Show the tab with the table open: one page of the entries that fit the address."""
    with services().db.read() as session:
        query, notices = LogQuery.parse(connector.id, request.args, filters.zone_of(connector).key)
        page = sync_log.read_page(session, query)
        total = page.total.number if not query.filtered else total_entries(session, connector.id)
        kept = sync_log.kept_records(session, page.entries)
    addresses = Addresses(connector)
    return render_template(
        "tools/log.html",
        connector=connector,
        total=total,
        query=query,
        page=page,
        notices=[*notices, *page.notices],
        links=_page_links(connector.id, query, page),
        url_of=lambda entry: _about(entry, kept, addresses),
        addresses=addresses,
        choices=sync_log_filters,
        typed=request.args,
        reasons=cart_answers.why_none(connector) if _no_carts(query, page) else [],
        may_clear=_may_clear(),
    )


def _no_carts(query: LogQuery, page: sync_log.LogPage) -> bool:
    """Tell whether carts are looked for and none is there: then the page says why."""
    return not page.entries and (query.type in streams.kinds("is_cart") or query.action.startswith("cart_"))


def _about(entry: SyncLogEntry, kept: Collection[int], addresses: Addresses) -> str:
    """Return the page of what an entry is about: its record, else its order or person, "" where nothing is known."""
    if entry.delivery_id is not None and entry.delivery_id in kept:
        return addresses.record(entry.delivery_id)
    source_id = entry.source_id or entry.object_id
    if entry.type in streams.kinds("numbered") and source_id:
        return url_for("search.order", connector_id=entry.connector_id, source_id=source_id)
    if entry.person_key:
        return url_for("search.person", connector_id=entry.connector_id, person_key=entry.person_key)
    return ""


def _page_links(connector_id: int, query: LogQuery, page: sync_log.LogPage) -> Mapping[str, str | None]:
    def to(number: int) -> str:
        values: dict[str, Any] = dict(query.args(page=number))
        return url_for("tools.log", connector_id=connector_id, **values)

    return {
        "prev": to(page.page - 1) if page.page > 1 else None,
        "next": to(page.page + 1) if page.page < page.pages else None,
    }


def _may_clear() -> bool:
    return me().may(Role.SUPPORT)


@bp.get("/log.<any(csv, jsonl):form>")
@connector_view
def download(connector: Connector, form: str) -> ResponseReturnValue:
    """Stream the filtered log as CSV or JSON lines."""
    query, notices = LogQuery.parse(connector.id, request.args, filters.zone_of(connector).key)
    selection.understood(notices)
    name = f"sync-log-{connector.id}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(export.stream(services().db, query, form), mimetype=export.MIMETYPES[form], headers=headers)


@bp.get("/clear")
@needs(Role.SUPPORT)
@connector_view
def clear(connector: Connector) -> ResponseReturnValue:
    """Ask before anything is cleared: how much goes, and what stays."""
    try:
        days = _days(request.args)
    except SettingError as error:
        flash(str(error), "bad")
        return redirect(url_for("tools.index", connector_id=connector.id))
    with services().db.read() as session:
        going = sync_log_clearing.preview(session, services().clock.now(), connector.id, days)
    return render_template("tools/clear.html", connector=connector, going=going, days=days)


@bp.post("/clear")
@needs(Role.SUPPORT)
@connector_view
def clear_post(connector: Connector) -> ResponseReturnValue:
    """Clear the log, or what is older than so many days, and write it to the audit log."""
    try:
        days, upto = _days({"scope": "", **request.form}), _upto(request.form)
    except SettingError as error:
        flash(str(error), "bad")
        return redirect(url_for("tools.index", connector_id=connector.id))

    def audit(session: Session, hidden: int) -> None:
        diff = {"entries": [hidden, 0], "older_than_days": [None, days]}
        record(session, AuditAction.LOG_CLEARED, "sync log", diff, connector)

    cleared = sync_log_clearing.clear(services(), connector.id, older_than_days=days, upto=upto, audit=audit)
    flash(_cleared(cleared, days), "ok")
    return redirect(url_for("tools.log", connector_id=connector.id))


def _days(values: Mapping[str, Any]) -> int | None:
    """Return the number of days typed, None for everything; raises SettingError (days)."""
    if values.get("scope", "all") == "all":
        return None
    if values["scope"] != "older":
        raise SettingError("scope", "It was not said which entries are meant.", "Choose again on the Tools page.")
    text = str(values.get("days") or "").strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LOOK_BACK_MAX_DAYS):
        raise SettingError(
            "days", f"“{text}” is no number of days.", f"Write a whole number from 1 to {LOOK_BACK_MAX_DAYS}."
        )
    return int(text)


def _upto(values: Mapping[str, Any]) -> int | None:
    """Return the newest entry there was when somebody was asked, None where that is not said; raises SettingError."""
    text = str(values.get("upto") or "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= ID_MAX_DIGITS):
        raise SettingError("upto", "It was not understood which entries are meant.", "Choose again on the Tools page.")
    return int(text) if text else None


def _cleared(number: int, days: int | None) -> str:
    which = f" older than {counted(days, 'day')}" if days else ""
    said = counted(number, "entry was", "entries were")
    return f"{said} cleared from the Sync Log{which}. New entries keep coming."


@bp.get("/settings.json")
@needs(Role.ADMIN)
@connector_view
def settings(connector: Connector) -> ResponseReturnValue:
    """Download the connector's settings without any secret."""
    text = json.dumps(connectors.exported(services(), connector), ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": f'attachment; filename="woo-mautic-{connector.id}.json"'}
    return Response(text, mimetype="application/json", headers=headers)
