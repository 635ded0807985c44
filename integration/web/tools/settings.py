"""Settings taken from a file, of ours or of Wootic, and set back to their defaults; shown first, then saved (P89)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import settings_import
from integration.settings import PAGES, settings_file
from integration.settings.wootic import Taken
from integration.web.administration.changes import changes_of
from integration.web.connection import form as connection_form
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.incoming import VALUE_MAX_CHARS
from integration.web.frame.services import services

bp = Blueprint("settings_file", __name__, url_prefix="/connectors/<int:connector_id>/tools/settings")


@bp.get("")
@needs(Role.ADMIN)
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show where a file is chosen or pasted, and what can be set back."""
    return _page(connector)


@bp.post("/preview")
@needs(Role.ADMIN)
@connector_view
def preview(connector: Connector) -> ResponseReturnValue:
    """Show what a file would change; nothing is stored."""
    try:
        return _preview(connector, settings_file.read(_given()))
    except SettingError as error:
        return _page(connector, error), 400


@bp.get("/reset")
@needs(Role.ADMIN)
@connector_view
def reset(connector: Connector) -> ResponseReturnValue:
    """Show what setting one module, or all with the word "all", back to its defaults would change."""
    module = request.args.get("module", "")
    try:
        return _preview(connector, settings_file.defaults("" if module == "all" else module or "?"))
    except SettingError as error:
        return _page(connector, error), 400


@bp.post("/save")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Save what was shown, as one change; where it would be another one by now, show that instead."""
    try:
        taken, mark = settings_import.unsealed(services(), connector, request.form.get("preview", ""))
    except SettingError as error:
        return _page(connector, error), 400
    try:
        diff = _saved(connector, taken, mark)
        diff |= _connected(connector, taken) if request.form.get("connection") else {}
    except settings_import.ChangedSince as error:
        return _preview(connector, taken, error), 409
    except SettingError as error:
        return _page(connector, error), 400
    flash("The settings were saved." if diff else "Nothing has changed.", "ok")
    return redirect(url_for("tools.index", connector_id=connector.id))


def _saved(connector: Connector, taken: Taken, mark: str) -> Diff:
    def audit(session: Session, diff: Diff) -> None:
        record(session, AuditAction.UPDATED, "settings, imported or set back", diff, connector)

    return settings_import.save(services(), connector.id, taken, mark, audit=audit, author=me().email)


def _connected(connector: Connector, taken: Taken) -> Diff:
    def audit(session: Session, diff: Diff) -> None:
        record(session, AuditAction.UPDATED, "connection, imported", diff, connector)

    if problem := _no_connection(connector, taken.connection):
        raise problem
    return settings_import.connect(services(), connector.id, taken, audit=audit)


def _given() -> bytes:
    """Return what was uploaded, else what was pasted."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return bytes(file.read(settings_file.FILE_MAX_BYTES + 1))
    return request.form.get("text", "").encode()


def _no_connection(connector: Connector, given: Mapping[str, str]) -> SettingError | None:
    """Return why the file's connection cannot be taken: a stored secret never goes to an address of a file."""
    values = {"store_url": connector.store_url, "mautic_url": connector.mautic_url, **given}
    try:
        connection_form.check(values, connector, services().readable_secrets(connector), services().clock.now())
    except SettingError as error:
        return error
    return None


def _preview(connector: Connector, taken: Taken, changed: SettingError | None = None) -> str:
    """Return the page of what would change; raises SettingError for what cannot be used."""
    problem = _no_connection(connector, taken.connection) if taken.connection else None
    if problem is not None:
        taken = Taken(taken.changes, {}, taken.unused)
    shown = settings_import.preview(services(), connector, taken)
    sealed = settings_import.sealed(services(), connector, shown)
    if len(sealed) > VALUE_MAX_CHARS:
        hint = "Use the command line: woo-mautic settings import ID FILE"
        raise SettingError("file", "These are more changes than a page can hold.", hint)
    return render_template(
        "tools/preview.html",
        connector=connector,
        settings=changes_of(shown.diff),
        connection=changes_of(shown.connection),
        unused=taken.unused,
        problem=problem,
        changed=changed,
        sealed=sealed,
    )


def _page(connector: Connector, error: SettingError | None = None) -> str:
    errors = (error, *error.others) if error else ()
    return render_template("tools/settings.html", connector=connector, errors=errors, modules=PAGES)
