"""Storage: how much is kept and for how long."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from integration.errors import SettingError
from integration.field_errors import titles
from integration.models.audit import AuditAction
from integration.models.organisation import Organisation
from integration.models.user import Role
from integration.operations.retention import Keep, save, sizes
from integration.pipeline.audited import Diff
from integration.web.frame.access import me, needs, own_connectors, record
from integration.web.frame.form_version import error_status
from integration.web.frame.forms import SettingForm, form_of
from integration.web.frame.services import services

bp = Blueprint("storage", __name__, url_prefix="/storage")
_PREFIX = "keep."
_FORM = form_of(Keep, prefix=_PREFIX)


@bp.get("")
@needs(Role.ADMIN)
def index() -> ResponseReturnValue:
    """Show what is stored and for how long it is kept."""
    return _page(_form())


def _form() -> SettingForm:
    """Return the form with what was typed, or where nothing was, with what is stored."""
    stored = {_PREFIX + name: days for name, days in _kept().items()}
    return _FORM(data=stored).loaded(stored)


def _kept() -> dict[str, int]:
    with services().db.read() as session:
        return Keep.of(session.get(Organisation, me().organisation_id)).model_dump()


def _page(form: SettingForm) -> ResponseReturnValue:
    with services().db.read() as session:
        mine = [each.id for each in own_connectors(session) if each.organisation_id == me().organisation_id]
        stored = sizes.rows_of(session, me().organisation_id, mine)
        whole = sizes.of_installation(session, services().deployment.instance_path) if me().may(Role.SUPER) else None
    usual = {_PREFIX + name: value for name, value in Keep().model_dump().items()}
    body = render_template(
        "administration/storage/index.html", stored=stored, whole=whole, usual=usual, form=form, kept=_kept()
    )
    return (body, error_status(form.error)) if form.error else body


def _store(form: SettingForm, keep: Keep) -> Diff:
    with services().db.write() as session:
        diff = save(session, session.get_one(Organisation, me().organisation_id), keep)
        form.keep({_PREFIX + name: pair for name, pair in diff.items()}, titles(Keep, _PREFIX))
        if diff:
            record(session, AuditAction.UPDATED, "retention", diff)
    return diff


@bp.post("")
@needs(Role.ADMIN)
def save_post() -> ResponseReturnValue:
    """Keep new numbers; rows that are older leave within the hour."""
    form = _form()
    try:
        keep = Keep().with_values(form.typed(), _PREFIX)
    except SettingError as error:
        form.refuse(error)
        return _page(form)
    try:
        diff = _store(form, keep)
    except SettingError as error:
        form.refuse(error)
        return _page(form)
    flash(
        "Saved. What is older than that leaves within the hour, a little at a time."
        if diff
        else "Nothing was changed.",
        "ok",
    )
    return redirect(url_for("storage.index"))
