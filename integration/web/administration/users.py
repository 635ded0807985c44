"""Users of the organisation: roles, invitations, sign-in links, shutting out (G2)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.access import Invitation
from integration.models.audit import AuditAction
from integration.models.user import Role, User
from integration.operations.identity import accounts, members
from integration.web.frame.access import me, needs, record
from integration.web.frame.services import outside, services

bp = Blueprint("users", __name__, url_prefix="/users")


@bp.get("")
@needs(Role.ADMIN)
def index() -> ResponseReturnValue:
    """List the organisation's users and open invitations."""
    return _page()


def _page(link: str = "", error: IntegrationError | None = None) -> ResponseReturnValue:
    now = services().clock.now()
    with services().db.read() as session:
        people = members.members(session, me().organisation_id)
        invited = members.invitations(session, me().organisation_id, now)
    roles = [role for role in Role if role.rank <= me().role.rank]
    body = render_template(
        "administration/users/index.html",
        people=people,
        invited=invited,
        roles=roles,
        link=link,
        error=error,
        typed=request.form,
        own=me().id,
    )
    return (body, 400) if error else body


@bp.post("/invite")
@needs(Role.ADMIN)
def invite() -> ResponseReturnValue:
    """Invite somebody; the link is shown once, to be handed on by a person."""
    email, role = request.form.get("email", ""), request.form.get("role", "")

    def audit(session: Session, made: Invitation) -> None:
        record(session, AuditAction.USER_CHANGED, f"invitation of {made.email}", {"role": [None, made.role]})

    try:
        token = members.invite(services(), me().organisation_id, email, role, me().role, me().email, audit=audit)
    except IntegrationError as error:
        return _page(error=error)
    return _page(link=outside("invitations.show", token=token))


@bp.post("/invitations/<int:invitation_id>/withdraw")
@needs(Role.ADMIN)
def withdraw(invitation_id: int) -> ResponseReturnValue:
    """Make an invitation's link useless."""
    with services().db.write() as session:
        found = session.get(Invitation, invitation_id)
        if found is None or found.organisation_id != me().organisation_id:
            abort(404)
        found.withdrawn_at = found.withdrawn_at or services().clock.now()
        record(session, AuditAction.USER_CHANGED, f"invitation of {found.email}", {"invitation": ["open", "withdrawn"]})
    flash("The invitation was withdrawn; its link works no more.", "ok")
    return redirect(url_for("users.index"))


@bp.post("/<int:user_id>/role")
@needs(Role.ADMIN)
def role(user_id: int) -> ResponseReturnValue:
    """Give a user another role."""

    def change(session: Session, user: User) -> dict[str, list[object]]:
        before, after = members.change_role(
            session, user, request.form.get("role", ""), me().role, services().clock.now(), by=me().id
        )
        return {"role": [before, after]}

    return _change(user_id, change, "The role was changed.")


@bp.post("/<int:user_id>/disable")
@needs(Role.ADMIN)
def disable(user_id: int) -> ResponseReturnValue:
    """Shut a user out; open sessions end at once."""

    def change(session: Session, user: User) -> dict[str, list[object]]:
        members.disable(session, user, services().clock.now(), me().role, by=me().id)
        return {"disabled": [False, True]}

    return _change(user_id, change, "The user is shut out; open sessions have ended.")


@bp.post("/<int:user_id>/enable")
@needs(Role.ADMIN)
def enable(user_id: int) -> ResponseReturnValue:
    """Let a user in again."""

    def change(session: Session, user: User) -> dict[str, list[object]]:
        members.enable(user, me().role)
        return {"disabled": [True, False]}

    return _change(user_id, change, "The user may sign in again.")


@bp.post("/<int:user_id>/link")
@needs(Role.ADMIN)
def link(user_id: int) -> ResponseReturnValue:
    """Make a one-time sign-in link for somebody who cannot sign in."""
    with services().db.read() as session:
        user = _user_or_404(session, user_id)
    if Role(user.role).rank > me().role.rank:
        flash(str(members.TOO_HIGH), "bad")
        return redirect(url_for("users.index"))

    def audit(session: Session, user: User) -> None:
        record(session, AuditAction.USER_CHANGED, user.email, {"sign-in link": ["", "made"]})

    token = accounts.make_link(services(), user_id, audit=audit)
    return _page(link=outside("auth.link", token=token))


def _change(user_id: int, change: Callable[[Session, User], dict[str, list[object]]], said: str) -> ResponseReturnValue:
    try:
        with services().db.write() as session:
            user = _user_or_404(session, user_id)
            diff = change(session, user)
            record(session, AuditAction.USER_CHANGED, user.email, diff)
    except IntegrationError as error:
        flash(str(error), "bad")
    else:
        flash(said, "ok")
    return redirect(url_for("users.index"))


def _user_or_404(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None or user.organisation_id != me().organisation_id:
        abort(404)
    return user
