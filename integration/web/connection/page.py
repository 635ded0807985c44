"""The Connection tab (P1 to P6): both systems, their test, debug mode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.support.diagnostics import Step
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors as pairs, fingerprint, holds, neighbours
from integration.pipeline.connectors.webhook_registration import delivery_url
from integration.settings.connection import AUTHORITIES
from integration.web.connection import (
    authority,
    form as connection_form,
    saving,
    store_keys,
    test as connection_test,
)
from integration.web.connection.mautic_sign_in import redirect_uri
from integration.web.frame import filters
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.form_version import error_status
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services

bp = Blueprint("connection", __name__, url_prefix="/connectors/<int:connector_id>/connection")
#: Value of the choice -> (label, duration).
DURATIONS = {
    "1h": ("1 hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    f"{pairs.DEBUG_DAYS_MAX}d": (f"{pairs.DEBUG_DAYS_MAX} days", timedelta(days=pairs.DEBUG_DAYS_MAX)),
}
Results = Sequence[tuple[str, Step]]


@bp.get("")
@connector_view
def index(connector: Connector) -> str:
    """Show how both systems are connected; administrators can change it."""
    return _page(connector, connection_form.stored(connector))


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Save the connection; an error stands at its field."""
    form = connection_form.typed(connector)
    try:
        diff = saving.save(connector, form, saving.checked(connector, connection_form.values(form)))
    except SettingError as error:
        form.refuse(error)
        return _page(connector, form), error_status(error)
    flash("The connection is saved. Test it now to see whether it works." if diff else "Nothing has changed.", "ok")
    return redirect(url_for("connection.index", connector_id=connector.id))


@bp.post("/test")
@needs(Role.SUPPORT)
@connector_view
def test(connector: Connector) -> ResponseReturnValue:
    """Try both connections with what is typed; support staff, and the button on other pages, try what is saved."""
    typed = me().may(Role.ADMIN) and not request.form.get("as_saved")
    form = connection_form.typed(connector) if typed else connection_form.stored(connector)
    try:
        attempt = _attempt(connector, form, typed=typed)
    except SettingError as error:
        form.refuse(error)
        return _page(connector, form), 400
    live = request.headers.get("X-Live") == "1"
    steps = connection_test.steps(services(), attempt)
    if live:
        return connection_test.live(steps)
    return _page(connector, form, list(steps))


@bp.post("/try-now")
@needs(Role.SUPPORT)
@connector_view
def try_now(connector: Connector) -> ResponseReturnValue:
    """Let what is held look at once instead of at its next try."""
    with services().db.write() as session:
        held = holds.probe_now(session, services().clock.now(), connector.id)
    services().wakeup.ring(connector.id)
    if held:
        flash("The connection is tried now; this page tells within seconds what came of it.", "ok")
    else:
        flash("Nothing is on hold.", "warn")
    return redirect(url_for("overview.show", connector_id=connector.id))


def _attempt(connector: Connector, form: SettingForm, *, typed: bool) -> connection_test.Trial:
    values = saving.checked(connector, connection_form.values(form)) if typed else {}
    return connection_test.prepare(services(), connector, values)


@bp.post("/debug")
@needs(Role.ADMIN)
@connector_view
def debug(connector: Connector) -> ResponseReturnValue:
    """Switch debug mode on for a while, or off."""
    _, duration = DURATIONS.get(request.form.get("duration", ""), DURATIONS["24h"])
    until = services().clock.now() + duration if request.form.get("switch") == "on" else None

    def audit(session: Session, diff: Diff) -> None:
        action = AuditAction.DEBUG_ON if until else AuditAction.DEBUG_OFF
        record(session, action, connector.name, diff, connector)

    pairs.set_debug(services(), connector.id, until, audit=audit)
    flash(f"Debug mode is on until {filters.local(until)}." if until else "Debug mode is off.", "ok")
    return redirect(url_for("connection.index", connector_id=connector.id, _anchor="debug"))


def _page(connector: Connector, form: SettingForm, results: Results | None = None) -> str:
    now, secrets = services().clock.now(), services().readable_secrets(connector)
    until = connector.debug_until
    with services().db.read() as session:
        clash = neighbours.clash(session, connector)
    return render_template(
        "connection/index.html",
        connector=connector,
        form=form,
        stored={name for name, value in secrets.items() if value},
        methods=connection_form.METHODS,
        results=results,
        sides=connection_test.SIDES,
        typed_secrets=[name for name in connection_form.ADDRESS_OF if form[name].data],
        redirect_uri=redirect_uri(),
        key_link=store_keys.offered(connector),
        delivery_url=delivery_url(services(), connector),
        public=services().base_url.startswith("https://"),
        durations=DURATIONS,
        authorities={name: authority.shown(getattr(connector, name), now) for name in AUTHORITIES},
        clash=clash,
        doubt=fingerprint.doubt(connector),
        said=fingerprint.sentence(connector),
        debug_on=until is not None and until > now,
    )
