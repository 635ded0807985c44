"""Metrics for Prometheus, of the connectors that a token may see."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from integration.operations.monitoring import metrics
from integration.web.frame.services import services
from integration.web.machines import authentication
from integration.web.machines.authentication import needs_scope

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
@needs_scope("logs", None)
def show() -> ResponseReturnValue:
    """Give the figures of the token's organisation."""
    with services().db.read() as session:
        connectors = authentication.connectors_of_token(session)
    return Response(metrics.text(services(), connectors), mimetype="text/plain; version=0.0.4; charset=utf-8")
