"""The Settings tab of a connector: schedule, conflicts, batches (D1, D3, D6)."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors, schedule_times
from integration.pipeline.delivery import conflicts
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.services import services

bp = Blueprint("connector_settings", __name__, url_prefix="/connectors/<int:connector_id>/settings")
NUMBERS = {
    "sync.batch_start": ("First batch", "Records in the first batch to Mautic; the size then follows the answer time."),
    "sync.batch_max": ("Largest batch", "At most 200, Mautic's own limit."),
    "sync.lanes": ("Calls at once", "How many calls to Mautic may be under way at a time."),
    "sync.proof_every": (
        "Read back every",
        "One batch of so many has three contacts read back and compared; 0 = never.",
    ),
    "sync.hourly_limit": ("Calls allowed in an hour", "If Mautic's host limits calls; 0 = no limit that you know of."),
}
NAMES = ("sync.every", "sync.cron", "sync.policy", *NUMBERS)


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings; administrators can change them."""
    stored = services().modules(connector).to_json()["sync"]
    return _page(connector, {name: str(stored[name.partition(".")[2]]) for name in NAMES})


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Store what was typed, all or nothing."""
    typed = {name: request.form.get(name, "").strip() for name in NAMES}

    def audit(session: Session, diff: Diff) -> None:
        record(session, AuditAction.UPDATED, f"connector {connector.name}", diff, connector)

    try:
        diff = connectors.configure(services(), connector.id, typed, audit=audit)
    except SettingError as error:
        return _page(connector, typed, error)
    flash("Saved." if diff else "Nothing was changed.", "ok")
    return redirect(url_for("connector_settings.index", connector_id=connector.id))


def _page(connector: Connector, values: dict[str, str], error: SettingError | None = None) -> ResponseReturnValue:
    every = {str(seconds): label for seconds, label in schedule_times.EVERY.items()}
    every.setdefault(values["sync.every"], f"Every {values['sync.every']} seconds")
    body = render_template(
        "operations/overview/settings.html",
        connector=connector,
        values=values,
        every=every,
        policies=conflicts.POLICIES,
        numbers=NUMBERS,
        example=schedule_times.EXAMPLE,
        error=error,
        may_change=me().may(Role.ADMIN),
    )
    return (body, 400) if error else body
