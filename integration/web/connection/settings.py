"""The Settings tab of a connector: schedule, conflicts, batches (D1, D3, D6), and its name space (X16)."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from integration.mapping import aliases, tags
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import neighbours, schedule_times
from integration.pipeline.delivery import conflicts
from integration.pipeline.dry_run import resending
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services
from integration.web.modules.form import filled, module_form, respond
from integration.words import span

bp = Blueprint("connector_settings", __name__, url_prefix="/connectors/<int:connector_id>/settings")
NUMBERS = ("sync.batch_start", "sync.batch_max", "sync.lanes", "sync.proof_every", "sync.hourly_limit")
FORM = module_form(("sync.every", "sync.cron", "sync.policy", *NUMBERS, "naming.name_space"))
#: What the example of a name space shows where none is set.
_EXAMPLE = "de"


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
    modules = services().modules(connector)
    with services().db.read() as session:
        clash = neighbours.clash(session, connector)
        cost = resending.owed(session, connector, modules)
    space = modules.naming.name_space or _EXAMPLE
    return render_template(
        "operations/overview/settings.html",
        connector=connector,
        form=form,
        every=schedule_times.choices(form["sync.every"].data),
        policies=conflicts.POLICIES,
        numbers=NUMBERS,
        example=schedule_times.EXAMPLE,
        example_field=aliases.cut(aliases.spaced(aliases.TOTAL_SPENT, space)),
        example_tag=tags.spaced("mug-01_completed", space),
        clash=clash,
        cost=cost,
        duration=span(cost.seconds) if cost and cost.seconds else "",
        may_save=me().may(Role.ADMIN),
        may_try=me().may(Role.SUPPORT),
    )
