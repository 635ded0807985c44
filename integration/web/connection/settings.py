"""The Settings tab of a connector: schedule, conflicts, batches (D1, D3, D6)."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import schedule_times
from integration.pipeline.delivery import conflicts
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.forms import SettingForm
from integration.web.modules.form import filled, module_form, respond

bp = Blueprint("connector_settings", __name__, url_prefix="/connectors/<int:connector_id>/settings")
NUMBERS = ("sync.batch_start", "sync.batch_max", "sync.lanes", "sync.proof_every", "sync.hourly_limit")
FORM = module_form(("sync.every", "sync.cron", "sync.policy", *NUMBERS))


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings; administrators can change them."""
    return _page(connector, filled(FORM, connector))


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Store what was typed, all or nothing."""
    return respond(FORM, connector, _page, "connector_settings.index")


def _page(connector: Connector, form: SettingForm) -> str:
    return render_template(
        "operations/overview/settings.html",
        connector=connector,
        form=form,
        every=schedule_times.choices(form["sync.every"].data),
        policies=conflicts.POLICIES,
        numbers=NUMBERS,
        example=schedule_times.EXAMPLE,
        may_save=me().may(Role.ADMIN),
    )
