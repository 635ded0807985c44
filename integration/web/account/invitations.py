"""Accepting an invitation: the only page of the administration that strangers see."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.user import User
from integration.operations import audit
from integration.operations.identity import accounts, members
from integration.web.frame.access import public
from integration.web.frame.security import limiter
from integration.web.frame.services import services

bp = Blueprint("invitations", __name__, url_prefix="/invitation")


def _failed(response: Response) -> bool:
    return response.status_code != 302


@bp.get("/<token>")
@limiter.limit("60 per hour")
@public
def show(token: str) -> ResponseReturnValue:
    """Show the form, or say why the link cannot be used."""
    return _page(token)


def _page(token: str, error: SettingError | None = None) -> ResponseReturnValue:
    with services().db.read() as session:
        found = members.invitation(session, token)
    standing = members.standing(found, services().clock.now())
    email = found.email if found is not None and standing == "good" else ""
    body = render_template(
        "account/invitation.html",
        token=token,
        standing=standing,
        email=email,
        error=error,
        name=request.form.get("name", ""),
        shortest=accounts.SHORTEST_PASSWORD,
    )
    return body, 200 if standing == "good" and error is None else 400 if error else 410


@bp.post("/<token>")
@limiter.limit("10 per minute; 60 per hour", deduct_when=_failed)
@public
def accept(token: str) -> ResponseReturnValue:
    """Make the user; the sign-in page is next."""
    password = request.form.get("password", "")
    try:
        if password != request.form.get("again", ""):
            raise SettingError("again", "The two passwords are not the same.", "Write the password twice.")
        members.accept(services(), token, request.form.get("name", ""), password, audit=_record)
    except SettingError as error:
        return _page(token, error)
    flash("Welcome. Sign in with your e-mail address and the password you have just chosen.", "ok")
    return redirect(url_for("auth.sign_in"))


def _record(session: Session, user: User) -> None:
    audit.record(
        session,
        clock_now=services().clock.now(),
        organisation_id=user.organisation_id,
        actor=user.email,
        ip=request.remote_addr or "",
        action=AuditAction.USER_CHANGED,
        entity=user.email,
        diff={"invitation": ["open", "accepted"]},
    )
