"""The audit log (F2): who did what, what it changed, and the proof that nobody changed the log."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction, AuditEntry
from integration.models.connector import Connector
from integration.models.database import Database
from integration.models.organisation import Organisation
from integration.models.user import Role
from integration.operations import audit
from integration.operations.audit import AuditQuery
from integration.url_filters import without
from integration.web.administration.changes import changes_of
from integration.web.frame import filters
from integration.web.frame.access import me, needs, own_connectors
from integration.web.frame.mentions import page_of
from integration.web.frame.services import services
from integration.web.tools import export

bp = Blueprint("audit", __name__, url_prefix="/audit")
ACTIONS = {each.value: each.value.replace("_", " ").capitalize() for each in AuditAction}
NOBODY = {0: "No organisation"}
COLUMNS = ("id", "time", "organisation_id", "connector_id", "actor", "ip", "action", "entity", "diff")
_CHAIN = ("previous_hash", "hash")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose entries may be seen: `chosen` is an organisation's id, None for all; `names` are the choices of a super
    admin, empty for everybody else."""

    chosen: int | None
    names: Mapping[int, str]
    notices: tuple[str, ...] = ()

    @property
    def args(self) -> dict[str, str]:
        """Return the choice as it stands in an address."""
        return {"organisation": str(self.chosen)} if self.names and self.chosen is not None else {}


@bp.get("")
@needs(Role.ADMIN)
def index() -> ResponseReturnValue:
    """Show the entries that fit the address, newest first."""
    with services().db.read() as session:
        scope = _scope(session)
        query, notices = _query(scope)
        found = audit.read(session, query, audit.AUDIT_MAX_ROWS + 1)
        total = audit.count(session, query)
        connectors = {each.id: each.name for each in _connectors(session, scope)}
    entries = found[: audit.AUDIT_MAX_ROWS]
    return render_template(
        "administration/audit/index.html",
        rows=[(entry, changes_of(entry.diff)) for entry in entries],
        older=entries[-1].id if len(found) > len(entries) else None,
        total=total,
        query=query,
        asked=lambda **changes: query.args(**changes) | scope.args,
        scope=scope,
        notices=[*scope.notices, *notices],
        connectors=connectors,
        actions=ACTIONS,
        place_of=lambda entry: _place(entry, connectors),
    )


#: How the entity of an entry begins -> the page where it can be looked at now.
_OF_CONNECTOR = {
    "settings": "overview.show",
    "connector": "overview.show",
    "connection of": "connection.index",
    "Mautic sign-in of": "connection.index",
    "webhooks": "connection.index",
    "Mautic fields": "fields.index",
    "dead letters": "dead_letters.index",
    "sync log": "tools.log",
}
_OF_ORGANISATION = {
    "alert": "alerts.index",
    "access": "tokens.index",
    "invitation of": "users.index",
    "retention": "storage.index",
}


def _place(entry: AuditEntry, connectors: Collection[int]) -> str:
    """Return the page of what an entry is about, "" where it has none or is gone."""
    number = entry.connector_id
    if number in connectors:
        endpoint = _begins(entry.entity, _OF_CONNECTOR)
        return page_of(entry.entity, number) or (url_for(endpoint, connector_id=number) if endpoint else "")
    own = entry.organisation_id == me().organisation_id and number is None
    endpoint = _begins(entry.entity, _OF_ORGANISATION) or ("users.index" if "@" in entry.entity else "")
    return url_for(endpoint) if own and endpoint else ""


def _begins(entity: str, places: Mapping[str, str]) -> str:
    return next((endpoint for begin, endpoint in places.items() if entity.startswith(begin)), "")


@bp.get("/log.<any(csv, jsonl):form>")
@needs(Role.ADMIN)
def download(form: str) -> ResponseReturnValue:
    """Stream the entries that fit the address as CSV, or as JSON lines with the hashes of the chain."""
    with services().db.read() as session:
        query, _ = _query(_scope(session))
    headers = {"Content-Disposition": f'attachment; filename="audit-log.{form}"'}
    return Response(_stream(services().db, query, form), mimetype=export.MIMETYPES[form], headers=headers)


@bp.get("/verify")
@needs(Role.ADMIN)
def verify() -> ResponseReturnValue:
    """Check the chain and say what was found."""
    with services().db.read() as session:
        scope = _scope(session)
        chains = audit.verify(session, scope.chosen)
    return render_template("administration/audit/verify.html", chains=chains, scope=scope)


def _scope(session: Session) -> Scope:
    if not me().may(Role.SUPER):
        return Scope(me().organisation_id, {})
    organisations = session.scalars(select(Organisation).order_by(Organisation.name, Organisation.id))
    names = {row.id: row.name for row in organisations} | NOBODY
    asked = request.args.get("organisation", "").strip()
    chosen = next((number for number in names if str(number) == asked), None)
    wrong = asked and chosen is None
    notices = (f"There is no organisation “{asked[:60]}”. That filter was left out.",) if wrong else ()
    return Scope(chosen, names, notices)


def _query(scope: Scope) -> tuple[AuditQuery, list[str]]:
    return AuditQuery.parse(scope.chosen, without(request.args, "organisation"), filters.page_zone().key)


def _connectors(session: Session, scope: Scope) -> list[Connector]:
    own = own_connectors(session)
    return [each for each in own if scope.chosen is None or each.organisation_id == scope.chosen]


def _stream(db: Database, query: AuditQuery, form: str) -> Iterator[str]:
    write = _csv if form == "csv" else _json_lines
    if form == "csv":
        yield export.head(COLUMNS)
    for entries in audit.walk(db, query):
        yield write(_row(entry) for entry in entries)


def _row(entry: AuditEntry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in (*COLUMNS, *_CHAIN) if name != "time"}
    # To the microsecond: the hash covers it so.
    return {**values, "time": entry.at.isoformat(timespec="microseconds")}


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    flat = (dict(row) | {"diff": json.dumps(row["diff"], ensure_ascii=False)} for row in rows)
    csv.writer(text).writerows([export.cell(row[name]) for name in COLUMNS] for row in flat)
    return text.getvalue()


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    ordered = ({name: row[name] for name in (*COLUMNS, *_CHAIN)} for row in rows)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ordered)
