"""Payload files of a run, for people who are signed in (C7)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, send_file
from flask.typing import ResponseReturnValue

from integration.models.payload_file import PayloadFile
from integration.models.user import Role
from integration.pipeline.payloads import files as payload_files
from integration.web.frame.access import connector_or_404, needs
from integration.web.frame.services import services

bp = Blueprint("payloads", __name__, url_prefix="/connectors/<int:connector_id>/runs/<int:run_id>/payloads")


@bp.get("/<int:file_id>")
@needs(Role.SUPPORT)
def show(connector_id: int, run_id: int, file_id: int) -> ResponseReturnValue:
    """Give one file; 404 when it is older than it is kept."""
    with services().db.read() as session:
        connector_or_404(session, connector_id)
        file = session.get(PayloadFile, file_id)
    if file is None or (file.run_id, file.connector_id) != (run_id, connector_id):
        abort(404)
    return sent(file)


def sent(file: PayloadFile) -> Response:
    """Return a payload file as an answer; 404 when it is gone from the disk."""
    path = payload_files.path_of(services(), file)
    if path is None:
        abort(404)
    return send_file(path.resolve(), mimetype="application/json", as_attachment=True, download_name=path.name)
