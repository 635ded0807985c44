"""Contact Sync: who is sent to Mautic, with what (P10 to P17), and the import."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import customer_roles, schedule_times
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services
from integration.web.modules import imports, pickers
from integration.web.modules.form import filled, module_form, respond

bp = Blueprint("contacts", __name__, url_prefix="/connectors/<int:connector_id>/contacts")
FORM = module_form(
    (
        "contacts.enabled",
        "contacts.on_change",
        "contacts.billing",
        "contacts.phone",
        "contacts.default_tags",
        "contacts.role_choice",
        "contacts.roles",
        "contacts.on_delete",
        "contacts.deleted_tag",
        "contacts.deleted_segment",
        "sync.every",
    ),
    typed_too=("contacts.roles",),
)
ROLES = {
    "customer": "Customer",
    "subscriber": "Subscriber",
    "shop_manager": "Shop manager",
    "administrator": "Administrator",
}
#: Whose customers are sent, by their roles in the store.
ROLE_CHOICES = {"these": "Only customers with the roles below", "all": "Customers with any role, administrators too"}
#: What becomes of the contact of a customer who was deleted in the store.
ON_DELETE = {
    "keep": "Keep the contact as it is",
    "tag": "Add the tag below",
    "segments": "Take the contact out of the segment below",
    "delete": "Delete the contact in Mautic",
}
ALL_SET = "All that this connector's settings add to"


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings and the import."""
    return _page(connector, filled(FORM, connector))


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Store the settings; what cannot be used comes back with the reason."""
    return respond(FORM, connector, _page, "contacts.index")


def _roles(connector: Connector, form: SettingForm) -> dict[str, str]:
    """Return slug -> name of the usual roles, of those that the store's users have, and of those that are chosen."""
    more = (*customer_roles.seen(connector), *form["contacts.roles"].data)
    return {**ROLES, **{role: role for role in more if role and role not in ROLES}}


def _page(connector: Connector, form: SettingForm) -> str:
    with services().db.read() as session:
        area = imports.area(session, connector, "contacts")
    return render_template(
        "modules/contacts/index.html",
        connector=connector,
        form=form,
        roles=_roles(connector, form),
        role_choices=ROLE_CHOICES,
        on_delete=ON_DELETE,
        segments=pickers.segments(connector).with_none(form["contacts.deleted_segment"].data, ALL_SET),
        every=schedule_times.choices(form["sync.every"].data),
        may_save=me().may(Role.ADMIN),
        **area,
    )
