"""Tokens of machines: made, shown once, revoked (G3)."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.access import ApiToken
from integration.models.audit import AuditAction
from integration.models.user import Role
from integration.operations.identity import tokens
from integration.web.frame.access import me, needs, record
from integration.web.frame.services import services

bp = Blueprint("tokens", __name__, url_prefix="/tokens")


@bp.get("")
@needs(Role.ADMIN)
def index() -> ResponseReturnValue:
    """List the organisation's tokens."""
    return _page()


def _page(secret: str = "", error: SettingError | None = None) -> ResponseReturnValue:
    with services().db.read() as session:
        found = tokens.of_organisation(session, me().organisation_id)
    body = render_template(
        "administration/tokens/index.html",
        tokens=found,
        scopes=tokens.SCOPES,
        secret=secret,
        error=error,
        typed=request.form,
        now=services().clock.now(),
    )
    return (body, 400) if error else body


@bp.post("")
@needs(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Make a token and show its secret, this once."""
    name, scopes = request.form.get("name", ""), request.form.getlist("scopes")

    def audit(session: Session, row: ApiToken) -> None:
        record(session, AuditAction.TOKEN_CHANGED, f"access {row.name}", {"scopes": [None, scopes]})

    try:
        made = tokens.make(services(), me().organisation_id, name, scopes, me().email, _days(), audit=audit)
    except SettingError as error:
        return _page(error=error)
    return _page(secret=made.secret)


def _days() -> int | None:
    text = request.form.get("days", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise SettingError("days", f"“{text}” is no number of days.", "Write a whole number from 1 to 3650.")
    return int(text)


@bp.get("/<int:token_id>/revoke")
@needs(Role.ADMIN)
def revoke(token_id: int) -> ResponseReturnValue:
    """Ask before a token is revoked."""
    with services().db.read() as session:
        row = _token_or_404(session, token_id)
    return render_template("administration/tokens/revoke.html", row=row)


@bp.post("/<int:token_id>/revoke")
@needs(Role.ADMIN)
def revoke_post(token_id: int) -> ResponseReturnValue:
    """End a token for good."""
    with services().db.write() as session:
        row = _token_or_404(session, token_id)
        tokens.revoke(session, row, services().clock.now())
        record(session, AuditAction.TOKEN_CHANGED, f"access {row.name}", {"revoked": [False, True]})
    flash("The token is revoked; whatever uses it gets no answer any more.", "ok")
    return redirect(url_for("tokens.index"))


def _token_or_404(session: Session, token_id: int) -> ApiToken:
    row = session.get(ApiToken, token_id)
    if row is None or row.organisation_id != me().organisation_id:
        abort(404)
    return row
