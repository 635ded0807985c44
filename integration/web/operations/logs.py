"""The Logs page: captured exchanges of debug mode, and the application's own log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.support.application_log import read_log
from integration.operations.support.line_files import LinePage, LineQuery
from integration.web.frame import filters
from integration.web.frame.access import connector_or_404, me, needs
from integration.web.frame.services import capture, services

bp = Blueprint("logs", __name__, url_prefix="/connectors/<int:connector_id>/logs")
KINDS = {"debug": "Debug log", "application": "Application log"}
_SIZE = 25
_LARGEST_DOWNLOAD = 20_000
_LAST_PAGE = 400


@dataclass(frozen=True, slots=True)
class LogView:
    """What of which log is looked at; `notices` say which parts of the address were not understood."""

    kind: str
    query: LineQuery
    raw: Mapping[str, str]
    notices: tuple[str, ...]

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return the arguments of an address that shows this, with changes."""
        return {"kind": self.kind, **{name: value for name, value in self.raw.items() if value}, **changes}


def parse(connector: Connector, args: Mapping[str, str], zone: tzinfo) -> LogView:
    """Return the view that an address asks for; values that make no sense are left out with a notice."""
    notices: list[str] = []
    kind = args.get("kind", "debug")
    if kind not in KINDS:
        kind, notices = "debug", [f"There is no log “{kind}”, so the debug log is shown."]
    raw = {name: args.get(name, "").strip() for name in ("since", "until", "text")}
    moments = {name: _moment(name, raw[name], zone, notices) for name in ("since", "until")}
    page = args.get("page", "1")
    number = min(max(int(page), 1), _LAST_PAGE) if page.isascii() and page.isdigit() else 1
    # Lines of other organisations, and of the installation itself, are for super admins only.
    values = {"connector": connector.id} if kind == "application" and not me().may(Role.SUPER) else {}
    query = LineQuery(moments["since"], moments["until"], raw["text"], values, _SIZE, number)
    return LogView(kind, query, raw, tuple(notices))


def _moment(name: str, text: str, zone: tzinfo, notices: list[str]) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    except ValueError:
        notices.append(f"“{text}” is no time, so “{name}” was left out. Write it like 2026-05-04T10:30.")
        return None


@bp.get("")
@needs(Role.SUPPORT)
def index(connector_id: int) -> str:
    """Show one page of a log, newest first."""
    connector = _connector(connector_id)
    view = parse(connector, request.args, filters.zone_of(connector))
    found = read(connector, view.kind, view.query)
    until = connector.debug_until
    return render_template(
        "operations/logs/index.html",
        connector=connector,
        view=view,
        kinds=KINDS,
        lines=[{**line, "moment": datetime.fromisoformat(line["at"])} for line in found.lines],
        prev_url=_url(connector_id, view, found.page - 1) if found.page > 1 else None,
        next_url=_url(connector_id, view, found.page + 1) if found.more else None,
        debug_on=until is not None and until > services().clock.now(),
    )


@bp.get("/download")
@needs(Role.SUPPORT)
def download(connector_id: int) -> Response:
    """Give the lines that match, newest first, as JSON lines."""
    connector = _connector(connector_id)
    view = parse(connector, request.args, filters.zone_of(connector))
    found = read(connector, view.kind, replace(view.query, limit=_LARGEST_DOWNLOAD, page=1))
    name = f"{view.kind}-log-connector-{connector_id}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_json_lines(found), mimetype="application/x-ndjson", headers=headers)


def read(connector: Connector, kind: str, query: LineQuery) -> LinePage:
    """Return one page of the connector's debug log or of the application's log."""
    if kind == "application":
        return read_log(services().deployment, query)
    return capture().read_page(connector.id, query)


def _json_lines(found: LinePage) -> Iterator[str]:
    for line in found.lines:
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _url(connector_id: int, view: LogView, page: int) -> str:
    return url_for("logs.index", connector_id=connector_id, **view.args(page=page))


def _connector(connector_id: int) -> Connector:
    with services().db.read() as session:
        return connector_or_404(session, connector_id)
