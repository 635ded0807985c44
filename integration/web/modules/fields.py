"""Mautic Fields: the fields that the modules need, as Mautic has them, made with one click (P70 to P72)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from integration.errors import IntegrationError
from integration.mapping.fields import check, needs as needed
from integration.mautic.fields import Fields
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.connectors import field_list
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.plans import FieldNeed
from integration.web.frame.access import connector_or_404, connector_view, me, needs, record
from integration.web.frame.services import services

bp = Blueprint("fields", __name__, url_prefix="/connectors/<int:connector_id>/fields")
#: Part of the module settings -> the module's name on pages.
MODULE_NAMES = {"contacts": "Contact Sync", "orders": "Order Sync"}
BADGES = {
    "present": ("Present", "ok"),
    "missing": ("Missing", "bad"),
    "wrong_type": ("Wrong type", "bad"),
    "too_short": ("Too short", "warn"),
    "unpublished": ("Not published", "warn"),
}


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show each needed field with its state."""
    wanted = needed(services().modules(connector))
    states = check(wanted, fields_from_json(connector.fields or [])) if connector.fields_at else []
    return render_template(
        "modules/fields/index.html",
        connector=connector,
        wanted=wanted,
        writers=_writers(wanted),
        states=states,
        missing=sum(state.state == "missing" for state in states),
        badges=BADGES,
        may_create=me().may(Role.ADMIN),
        may_refresh=me().may(Role.SUPPORT),
    )


def _writers(wanted: Sequence[FieldNeed]) -> str:
    """Return who writes the fields, with the verb: "Contact Sync and Order Sync write"."""
    parts = {part for need in wanted for part in need.modules} or {"orders"}
    names = [name for part, name in MODULE_NAMES.items() if part in parts]
    return f"{' and '.join(names)} {'writes' if len(names) == 1 else 'write'}"


@bp.post("/refresh")
@needs(Role.SUPPORT)
def refresh(connector_id: int) -> ResponseReturnValue:
    """Read the list from Mautic again."""

    def read(connector: Connector) -> str:
        field_list.refresh(services(), connector, services().open_mautic(connector), anew=True)
        return "The list of fields was read from Mautic."

    return _act(connector_id, read)


@bp.post("/create")
@needs(Role.ADMIN)
def create(connector_id: int) -> ResponseReturnValue:
    """Create the missing fields in Mautic, one after another."""

    def make(connector: Connector) -> str:
        client = services().open_mautic(connector)
        connector = field_list.refresh(services(), connector, client)
        found = fields_from_json(connector.fields)
        made = field_list.create_missing(Fields(client), needed(services().modules(connector)), found)
        field_list.store(services(), connector, {**found, **made})
        if not made:
            return "No field was missing."
        with services().db.write() as session:
            record(session, AuditAction.FIELDS_CREATED, "Mautic fields", {"fields": [None, sorted(made)]}, connector)
        return f"{len(made)} {'field was' if len(made) == 1 else 'fields were'} created in Mautic."

    return _act(connector_id, make)


def _act(connector_id: int, act: Callable[[Connector], str]) -> ResponseReturnValue:
    with services().db.read() as session:
        connector = connector_or_404(session, connector_id)
    if not connector.mautic_url:
        flash("Connect Mautic first, on the Connection page.", "bad")
        return redirect(url_for("fields.index", connector_id=connector_id))
    try:
        flash(act(connector), "ok")
    except IntegrationError as error:
        flash(str(error), "bad")
    return redirect(url_for("fields.index", connector_id=connector_id))
