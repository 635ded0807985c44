"""OAuth2 with an authorization code (P1): Mautic's own page, and the redirect page it comes back to."""

from __future__ import annotations

import secrets

from flask import Blueprint, abort, flash, redirect, request, session as cookie, url_for
from flask.typing import ResponseReturnValue

from integration.errors import ServiceError
from integration.http.transport import Transport
from integration.mautic.auth import authorize_url, exchange_code
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import holds
from integration.pipeline.stored_tokens import StoredTokens
from integration.web.connection import checks, onward
from integration.web.frame.access import connector_or_404, connector_view, needs, record
from integration.web.frame.services import services

bp = Blueprint("mautic_sign_in", __name__)
_STATE = "mautic_state"
#: Whether the guided set-up has asked, and not the Connection tab.
_GUIDED = "mautic_guided"


def redirect_uri() -> str:
    """Return the address that has to stand with the API credentials in Mautic."""
    return services().base_url + url_for("mautic_sign_in.back")


@bp.get("/connectors/<int:connector_id>/connection/mautic-sign-in")
@needs(Role.ADMIN)
@connector_view
def ask(connector: Connector) -> ResponseReturnValue:
    """Send the administrator to Mautic's page; a state in the session tells that the way back is theirs."""
    if not connector.mautic_url or not connector.mautic_client_id:
        abort(404)
    state = secrets.token_urlsafe(24)
    cookie[_STATE] = [state, connector.id]
    cookie[_GUIDED] = onward.is_guided(request.args)
    return redirect(authorize_url(services().mautic_access(connector), redirect_uri(), state))


@bp.get("/oauth/mautic/callback")
@needs(Role.ADMIN)
def back() -> ResponseReturnValue:
    """Exchange the code for a token and keep it."""
    state, connector_id = cookie.pop(_STATE, ("", 0))
    guided = bool(cookie.pop(_GUIDED, False))
    if not state or not secrets.compare_digest(state.encode(), request.args.get("state", "").encode()):
        flash("This way back from Mautic is not one that was begun here. Start again from the connection page.", "bad")
        return redirect(url_for("overview.index"))
    with services().db.read() as session:
        connector = connector_or_404(session, connector_id)
    if _finish(connector, request.args.get("code", "")):
        _say(connector_id, guided=guided)
    return redirect(onward.url(connector_id, "mautic", guided=guided))


def _say(connector_id: int, *, guided: bool) -> None:
    if not guided:
        flash("Mautic lets us in. Test the connection now.", "ok")
        return
    with services().db.read() as session:
        connector = connector_or_404(session, connector_id)
    checks.stored(connector, "mautic")


def _finish(connector: Connector, code: str) -> bool:
    """Exchange the code and keep the token; return whether there is one, and say why not."""
    if not code:
        flash("Mautic was not allowed to let us in. Authorise again when you want to connect.", "bad")
        return False
    access = services().mautic_access(connector)
    transport = Transport("mautic", services().route(connector, access.ca), services().observers(connector))
    try:
        token = exchange_code(access, code, redirect_uri(), transport, services().clock)
    except ServiceError as error:
        flash(str(error), "bad")
        return False
    with services().db.write() as session:
        StoredTokens(services(), connector.id).save_in(session, token)
        holds.probe_now(session, services().clock.now(), connector.id)
        record(
            session, AuditAction.UPDATED, f"Mautic sign-in of {connector.name}", {"mautic_token": ["", ""]}, connector
        )
    services().wakeup.ring(connector.id)
    return True
