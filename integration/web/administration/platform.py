"""The platform view for super admins (G1), and the organisations."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from integration.errors import IntegrationError, SettingError
from integration.field_text import checked_name
from integration.models.audit import AuditAction
from integration.models.organisation import Organisation
from integration.models.user import Role
from integration.operations.identity import members
from integration.operations.identity.accounts import NAME_MAX_CHARS
from integration.operations.monitoring import platform
from integration.web.frame.access import me, needs, record
from integration.web.frame.services import outside, services

bp = Blueprint("platform", __name__, url_prefix="/platform")


@bp.get("")
@needs(Role.SUPER)
def index() -> ResponseReturnValue:
    """Show all connectors of all organisations."""
    return _page()


def _page(link: str = "", error: str = "") -> ResponseReturnValue:
    query, notices = platform.PlatformQuery.from_url(request.args)
    with services().db.read() as session:
        every = platform.rows(session, services())
        owners = platform.owners(session)
    found = platform.chosen(every, query)
    body = render_template(
        "administration/platform/index.html",
        rows=found[: platform.ROWS_MAX],
        matching=len(found),
        totals=platform.totals(every),
        owners=owners,
        choices=platform,
        asked=query,
        notices=notices,
        link=link,
        error=error,
        typed=request.form,
    )
    return (body, 400) if error else body


def _typed_name() -> str:
    """Return the name that was typed; raises SettingError (name)."""
    name = checked_name("name", request.form.get("name", ""), NAME_MAX_CHARS)
    if not name:
        raise SettingError("name", "The organisation needs a name.")
    return name


@bp.post("/organisations")
@needs(Role.SUPER)
def create() -> ResponseReturnValue:
    """Make an organisation and invite its first administrator."""
    email = request.form.get("email", "")
    try:
        name = _typed_name()
    except IntegrationError as error:
        return _page(error=str(error))
    with services().db.write() as session:
        if session.scalar(select(Organisation.id).where(Organisation.name == name)):
            return _page(error=f"There is an organisation “{name}” already.")
        made = Organisation(name=name, created_at=services().clock.now())
        session.add(made)
        session.flush()
        record(session, AuditAction.CREATED, f"organisation {name}", {"name": ["", name]})
        number = made.id
    try:
        token = members.invite(services(), number, email, Role.ADMIN, me().role, me().email)
    except IntegrationError as error:
        return _page(error=f"The organisation was made, but nobody was invited: {error}")
    return _page(link=outside("invitations.show", token=token))


@bp.post("/organisations/<int:organisation_id>/invite")
@needs(Role.SUPER)
def invite(organisation_id: int) -> ResponseReturnValue:
    """Invite an administrator into an organisation."""
    email = request.form.get("email", "")
    with services().db.read() as session:
        session.get_one(Organisation, organisation_id)
    try:
        token = members.invite(services(), organisation_id, email, Role.ADMIN, me().role, me().email)
    except IntegrationError as error:
        return _page(error=str(error))
    return _page(link=outside("invitations.show", token=token))


@bp.post("/organisations/<int:organisation_id>/rename")
@needs(Role.SUPER)
def rename(organisation_id: int) -> ResponseReturnValue:
    """Give an organisation another name."""
    try:
        name = _typed_name()
    except IntegrationError as error:
        return _page(error=str(error))
    with services().db.write() as session:
        taken = select(Organisation.id).where(Organisation.name == name, Organisation.id != organisation_id)
        if session.scalar(taken):
            return _page(error=f"There is an organisation “{name}” already.")
        found = session.get_one(Organisation, organisation_id)
        before, found.name = found.name, name
        record(session, AuditAction.UPDATED, f"organisation {name}", {"name": [before, name]})
    flash("The organisation was renamed.", "ok")
    return redirect(url_for("platform.index"))
