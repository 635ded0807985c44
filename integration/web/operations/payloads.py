"""Payload files of a run, for people who are signed in (C7)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, send_file
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.payload_file import PayloadFile
from integration.models.user import Role
from integration.pipeline.payloads import files as payload_files
from integration.web.frame.access import needs, row_view
from integration.web.frame.services import services

bp = Blueprint("payloads", __name__, url_prefix="/connectors/<int:connector_id>/runs/<int:run_id>/payloads")


@bp.get("/<int:file_id>")
@needs(Role.SUPPORT)
@row_view(PayloadFile, "file_id")
def show(connector: Connector, file: PayloadFile, run_id: int) -> ResponseReturnValue:
    """Give one file; 404 when it is older than it is kept."""
    if file.run_id != run_id:
        abort(404)
    return sent(file)


def sent(file: PayloadFile) -> Response:
    """Return a payload file as an answer; 404 when it is gone from the disk."""
    path = payload_files.path_of(services(), file)
    if path is None:
        abort(404)
    return send_file(path.resolve(), mimetype="application/json", as_attachment=True, download_name=path.name)
