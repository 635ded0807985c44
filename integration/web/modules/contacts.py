"""Contact Sync: who is sent to Mautic, with what (P10 to P17), and the import."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.user import Role
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.services import services
from integration.web.modules import imports
from integration.web.modules.form import MANY, TEXTS, WHOLE, YES, ModuleForm, Shown, respond, stored_values

bp = Blueprint("contacts", __name__, url_prefix="/connectors/<int:connector_id>/contacts")
FORM = ModuleForm(
    {
        "contacts.enabled": YES,
        "contacts.on_change": YES,
        "contacts.billing": YES,
        "contacts.phone": YES,
        "contacts.default_tags": TEXTS,
        "contacts.roles": MANY,
        "sync.every": WHOLE,
    }
)
ROLES = {
    "customer": "Customer",
    "subscriber": "Subscriber",
    "shop_manager": "Shop manager",
    "administrator": "Administrator",
}
EVERY = {
    0: "Off",
    300: "Every 5 minutes",
    900: "Every 15 minutes",
    3600: "Every hour",
    21600: "Every 6 hours",
    86400: "Every day",
    604800: "Every week",
}


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings and the import."""
    return _page(connector, Shown(stored_values(services().modules(connector))))


@bp.post("")
@needs(Role.ADMIN)
def save(connector_id: int) -> ResponseReturnValue:
    """Store the settings; what cannot be used comes back with the reason."""
    return respond(FORM, connector_id, _page, "contacts.index")


def _page(connector: Connector, shown: Shown) -> str:
    with services().db.read() as session:
        area = imports.area(session, connector, "contacts")
    roles = {**ROLES, **{role: role for role in shown.chosen("contacts.roles") if role and role not in ROLES}}
    return render_template(
        "modules/contacts/index.html",
        connector=connector,
        shown=shown,
        roles=roles,
        every=EVERY,
        may_save=me().may(Role.ADMIN),
        **area,
    )
