"""Whether this process can serve: for load balancers and watchdogs."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from integration.models import migrate
from integration.operations.monitoring import heartbeat
from integration.web.frame.access import public
from integration.web.frame.services import services

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Answer 200 when the database answers, 503 when it does not."""
    try:
        with services().db.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return {"status": "database unreachable"}, 503
    return {"status": "ok"}


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Answer 200 when this installation can do its work.

    That is a database with the newest schema, a disk that takes what is written, and somebody who works.
    """
    try:
        with services().db.read() as session:
            newest = migrate.is_newest(session)
            now = services().clock.now()
            working = heartbeat.alive(session, now, *heartbeat.WORKING_ROLES)
            ahead = heartbeat.ahead_by(session, now) is not None
    except SQLAlchemyError:
        return {"status": "database unreachable"}, 503
    if (fault := services().disk.look()) is not None:
        return {"status": fault.sentence}, 503
    if not newest:
        return {"status": "the schema is not that of this program"}, 503
    if ahead:
        return {"status": "the clock was set back; waiting times are being corrected"}, 503
    return ({"status": "ready"}, 200) if working else ({"status": "no worker is running"}, 503)
