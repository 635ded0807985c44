"""Tables of statistics (mautic:325-331): sent e-mails, members of segments, do-not-contact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic.answers import Crash, dump
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.field_definitions import data
from integration.sandbox.mautic.list_queries import page, query
from integration.sandbox.mautic.request_body import entries
from integration.sandbox.mautic.state import State

Row = dict[str, Any]
NO_COLUMN = (
    "An exception occurred while executing a query: SQLSTATE[42S22]: Column not found: 1054 Unknown column "
    "'s.{}' in 'WHERE'"
)


def register(context: MauticContext) -> None:
    """Add the routes."""
    context.route("GET", "/api/stats", lambda: _tables(context))
    context.route("GET", "/api/stats/<table>", lambda table: _table(context, table))


def _tables(context: MauticContext) -> Response:
    return context.reply(dump(_known(context)))


def _known(context: MauticContext) -> dict[str, Any]:
    """Return the tables with their columns; Mautic 7 has two more (mautic:325)."""
    known = data("stats_tables")
    if context.major < 7:
        return dict(known)
    columns = known["tableColumns"]
    log = sorted([*columns["campaign_lead_event_log"], "date_queued", "version"])
    return {**known, "tableColumns": {**columns, "campaign_lead_event_log": log}}


def _table(context: MauticContext, table: str) -> Response:
    columns = data("stats_tables")["tableColumns"].get(table)
    if columns is None:
        return _tables(context)  # mautic:329.
    if not g.caller.admin:
        g.caller.need("email:emails", "view")
    wrong = next((each["col"] for each in entries(query().get("where")) if each.get("col") not in columns), None)
    if wrong is not None:
        error = {"message": NO_COLUMN.format(wrong), "code": 1054}
        return context.reply(dump({"errors": [error]}))  # 200, mautic:328.
    with context.state.lock:
        rows = list(ROWS[table](context.state)) if table in ROWS else []
    try:
        total, chosen = page(rows, next(iter(rows[0])) if rows else "id")
    except Crash:
        total, chosen = len(rows), rows
    return context.reply(dump({"total": str(total), "stats": chosen}))


def _sql(at: str) -> str:
    return at.replace("T", " ").split("+")[0]


def _email_stats(state: State) -> Iterator[Row]:
    for sent in state.sent:
        yield {
            "id": str(sent["id"]),
            "email_id": str(sent["email_id"]),
            "lead_id": str(sent["contact_id"]),
            "email_address": sent["address"],
            "date_sent": _sql(sent["sent_at"]),
            "is_read": "0",
            "is_failed": "0",
            "viewed_in_browser": "0",
            "tracking_hash": sent["hash"],
            "retry_count": "0",
            "source": "api",
            "source_id": "0",
            "open_count": "0",
            "open_details": "a:0:{}",
        }


def _memberships(state: State) -> Iterator[Row]:
    for contact in state.contacts.values():
        for segment_id, added in contact.segments.items():
            yield {
                "leadlist_id": str(segment_id),
                "lead_id": str(contact.id),
                "date_added": _sql(added),
                "manually_removed": "0",
                "manually_added": "1",
            }


def _dnc(state: State) -> Iterator[Row]:
    for contact in state.contacts.values():
        for entry in contact.dnc:
            yield {
                "id": str(entry["id"]),
                "lead_id": str(contact.id),
                "date_added": _sql(entry["dateAdded"]),
                "reason": str(entry["reason"]),
                "channel": entry["channel"],
                "comments": entry["comments"],
            }


ROWS = {"email_stats": _email_stats, "lead_lists_leads": _memberships, "lead_donotcontact": _dnc}
