"""Metrics for Prometheus, of the connectors that a token may see."""

from __future__ import annotations

from flask import Blueprint
from flask import Response
from flask.typing import ResponseReturnValue

from integration.operations import metrics
from integration.web import machines
from integration.web.machines import needs_scope
from integration.web.wiring import ports

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
@needs_scope("logs")
def show() -> ResponseReturnValue:
    """Give the figures of the token's organisation."""
    with ports().db.read() as session:
        connectors = machines.connectors_of_token(session)
    return Response(metrics.text(ports(), connectors), mimetype="text/plain; version=0.0.4; charset=utf-8")
