"""The Logs page: captured exchanges of debug mode, and the application's own log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint, Response, render_template, request, url_for

from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.support.application_log import read_log
from integration.operations.support.line_files import LinePage, LogLineQuery
from integration.url_filters import OneOf, UrlFilter, without
from integration.web.frame import filters
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.services import capture, services

bp = Blueprint("logs", __name__, url_prefix="/connectors/<int:connector_id>/logs")
KINDS = {"debug": "Debug log", "application": "Application log"}
LOG_MAX_ROWS = 25
DOWNLOAD_ROWS_MAX = 20_000


class LogChoice(UrlFilter):
    """Which log is looked at."""

    kind: Annotated[str, OneOf(KINDS)] = "debug"


@dataclass(frozen=True, slots=True)
class LogView:
    """What of which log is looked at; `notices` say which parts of the URL were not understood."""

    kind: str
    query: LogLineQuery
    notices: tuple[str, ...]

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return the arguments of a URL that shows this, with changes."""
        return {"kind": self.kind, **self.query.args(**{"page": None, **changes})}


def parse(connector: Connector, args: Mapping[str, str], zone: str) -> LogView:
    """Return the view that a URL asks for; values that make no sense are left out with a notice."""
    log, wrong_kind = LogChoice.from_url({name: args[name] for name in ("kind",) if name in args})
    # Lines of other organisations, and of the installation itself, are for super admins only.
    values = {"connector": connector.id} if log.kind == "application" and not me().may(Role.SUPER) else {}
    query, notices = LogLineQuery.from_url(without(args, "kind"), zone, values=values, limit=LOG_MAX_ROWS)
    return LogView(log.kind, query, (*wrong_kind, *notices))


@bp.get("")
@needs(Role.SUPPORT)
@connector_view
def index(connector: Connector) -> str:
    """Show one page of a log, newest first."""
    view = parse(connector, request.args, filters.zone_of(connector).key)
    found = read(connector, view.kind, view.query)
    until = connector.debug_until
    return render_template(
        "operations/logs/index.html",
        connector=connector,
        view=view,
        kinds=KINDS,
        total=found.total,
        lines=[{**line, "moment": datetime.fromisoformat(line["at"])} for line in found.lines],
        prev_url=_url(connector.id, view, found.page - 1) if found.page > 1 else None,
        next_url=_url(connector.id, view, found.page + 1) if found.more else None,
        debug_on=until is not None and until > services().clock.now(),
    )


@bp.get("/download")
@needs(Role.SUPPORT)
@connector_view
def download(connector: Connector) -> Response:
    """Give the lines that match, newest first, as JSON lines."""
    view = parse(connector, request.args, filters.zone_of(connector).key)
    found = read(connector, view.kind, view.query.model_copy(update={"limit": DOWNLOAD_ROWS_MAX, "page": 1}))
    name = f"{view.kind}-log-connector-{connector.id}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_json_lines(found), mimetype="application/x-ndjson", headers=headers)


def read(connector: Connector, kind: str, query: LogLineQuery) -> LinePage:
    """Return one page of the connector's debug log or of the application's log."""
    if kind == "application":
        return read_log(services().deployment, query)
    return capture().read_page(connector.id, query)


def _json_lines(found: LinePage) -> Iterator[str]:
    for line in found.lines:
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _url(connector_id: int, view: LogView, page: int) -> str:
    return url_for("logs.index", connector_id=connector_id, **view.args(page=page))
