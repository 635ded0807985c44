"""Order Sync: which orders are sent, with what fields, tags, notes and e-mails (P30 to P42), and the import."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import store_profile
from integration.pipeline.delivery import order_categories
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services
from integration.web.modules import imports, pickers
from integration.web.modules.form import filled, module_form, respond

bp = Blueprint("orders", __name__, url_prefix="/connectors/<int:connector_id>/orders")
FORM = module_form(
    (
        "orders.enabled",
        "orders.statuses",
        "orders.order_data",
        "orders.lifetime",
        "orders.currency_totals",
        "orders.rfm",
        "orders.paid_statuses",
        "orders.product_tags",
        "orders.product_id_tags",
        "orders.category_tags",
        "orders.subscriptions",
        "orders.general_tags",
        "orders.remove_completed_tag",
        "orders.notes",
        "orders.emails",
        "orders.segments",
        "orders.sku_filter",
        "orders.create_fields",
    ),
    ticked=("orders.statuses", "orders.paid_statuses"),
)
PRESETS = {"usual": ("completed", "refunded")}


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings and the import."""
    return _page(connector, filled(FORM, connector))


@bp.post("/preset")
@needs(Role.ADMIN)
@connector_view
def preset(connector: Connector) -> str:
    """Tick the statuses of a preset in the form as it was typed, and save nothing."""
    name = request.form.get("preset", "")
    chosen = store_profile.statuses(connector) if name == "all" else PRESETS.get(name)
    if chosen is None:
        abort(404)
    form = filled(FORM, connector)
    form["orders.statuses"].data = list(chosen)
    return _page(connector, form, preset=True)


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Store the settings; what cannot be used comes back with the reason."""
    return respond(FORM, connector, _page, "orders.index")


def _page(connector: Connector, form: SettingForm, *, preset: bool = False) -> str:
    with services().db.read() as session:
        area = imports.area(session, connector, "orders")
    statuses = _statuses(connector, form)
    return render_template(
        "modules/orders/index.html",
        connector=connector,
        form=form,
        statuses=statuses,
        warnings=_unsynced(form, statuses),
        emails=pickers.emails(connector),
        segments=pickers.segments(connector),
        preset=preset,
        categories_refused=order_categories.why_refused(connector),
        subscriptions=store_profile.has_subscriptions(connector),
        may_save=me().may(Role.ADMIN),
        **area,
    )


def _statuses(connector: Connector, form: SettingForm) -> dict[str, str]:
    """Return slug -> name of the store's statuses, and of those that are chosen but no longer there."""
    listed = dict(connector.store_facts.get("statuses") or [])
    known = {slug: listed.get(slug, slug.replace("-", " ").capitalize()) for slug in store_profile.statuses(connector)}
    return known | {slug: slug for slug in form["orders.statuses"].data if slug and slug not in known}


def _unsynced(form: SettingForm, statuses: Mapping[str, str]) -> list[str]:
    """Return a sentence for each status that has an e-mail or a segment but is not synced (P40)."""
    synced = set(form["orders.statuses"].data)
    found = []
    for slug, name in statuses.items():
        kinds = [what for key, what in _FOLLOW_UPS.items() if form[key].of(slug)]
        if kinds and slug not in synced:
            found.append(f"“{name}” has {' and '.join(kinds)}, but orders of that status are not synced.")
    return found


_FOLLOW_UPS = {"orders.emails": "an e-mail", "orders.segments": "a segment"}
