"""Contact Sync: who is sent to Mautic, with what (P10 to P17), and the import."""

from __future__ import annotations

from flask import Blueprint
from flask import render_template
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.user import Role
from integration.web import imports
from integration.web.access import connector_or_404
from integration.web.access import me
from integration.web.access import needs
from integration.web.module_form import MANY
from integration.web.module_form import TEXTS
from integration.web.module_form import WHOLE
from integration.web.module_form import YES
from integration.web.module_form import ModuleForm
from integration.web.module_form import Shown
from integration.web.module_form import respond
from integration.web.module_form import stored_values
from integration.web.wiring import ports

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
def index(connector_id: int) -> ResponseReturnValue:
    """Show the settings and the import."""
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
    return _page(connector, Shown(stored_values(ports().modules(connector))))


@bp.post("")
@needs(Role.ADMIN)
def save(connector_id: int) -> ResponseReturnValue:
    """Store the settings; what cannot be used comes back with the reason."""
    return respond(FORM, connector_id, _page, "contacts.index")


def _page(connector: Connector, shown: Shown) -> str:
    with ports().db.read() as session:
        area = imports.area(session, connector, "contacts")
    roles = {**ROLES, **{role: role for role in shown.chosen("contacts.roles") if role and role not in ROLES}}
    return render_template(
        "contacts/index.html",
        connector=connector,
        shown=shown,
        roles=roles,
        every=EVERY,
        may_save=me().may(Role.ADMIN),
        **area,
    )
