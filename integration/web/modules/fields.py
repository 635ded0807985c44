"""Mautic Fields: the fields that the modules need, as Mautic has them, made with one click (P70 to P72)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.mapping.fields import check, needs as needed
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline import outbox
from integration.pipeline.connectors import field_list
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.pipeline.delivery.outcomes import FIELDS_MISSING
from integration.plans import FieldNeed
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.services import services
from integration.words import counted

bp = Blueprint("fields", __name__, url_prefix="/connectors/<int:connector_id>/fields")
#: Part of the module settings -> the module's name on pages.
MODULE_NAMES = {"contacts": "Contact Sync", "orders": "Order Sync", "carts": "Abandoned Cart"}
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
    with services().db.read() as session:
        lacking = len(outbox.partial_ids(session, connector.id, FIELDS_MISSING))
    return render_template(
        "modules/fields/index.html",
        connector=connector,
        wanted=wanted,
        writers=_writers(wanted),
        states=states,
        missing=sum(state.state == "missing" and not state.need.own for state in states),
        lacking=lacking,
        code=FIELDS_MISSING,
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
@connector_view
def refresh(connector: Connector) -> ResponseReturnValue:
    """Read the list from Mautic again."""
    return _act(connector, _read)


def _read(connector: Connector) -> str:
    field_list.refresh(services(), connector, services().open_mautic(connector), anew=True)
    return "The list of fields was read from Mautic."


@bp.post("/create")
@needs(Role.ADMIN)
@connector_view
def create(connector: Connector) -> ResponseReturnValue:
    """Create the missing fields in Mautic, one after another."""

    return _act(connector, make_missing)


def make_missing(connector: Connector) -> str:
    """Create the fields that are missing in Mautic and return what was done; raises ServiceError."""

    def audit(session: Session, made: Sequence[str]) -> None:
        record(session, AuditAction.FIELDS_CREATED, "Mautic fields", {"fields": [None, list(made)]}, connector)

    made = field_list.complete(services(), connector, services().open_mautic(connector), audit=audit)
    if not made:
        return "No field was missing."
    return f"{counted(len(made), 'field was', 'fields were')} created in Mautic."


def missing(connector: Connector) -> list[FieldNeed] | None:
    """Return the needed fields that Mautic lacks and that can be created; None while its list was not read."""
    if not connector.fields_at:
        return None
    states = check(needed(services().modules(connector)), fields_from_json(connector.fields or []))
    return [state.need for state in states if state.state == "missing" and not state.need.own]


def _act(connector: Connector, act: Callable[[Connector], str]) -> ResponseReturnValue:
    told(connector, act)
    return redirect(url_for("fields.index", connector_id=connector.id))


def told(connector: Connector, act: Callable[[Connector], str]) -> None:
    """Do something with Mautic's fields, and let the next page say what came of it."""
    if not connector.mautic_url:
        flash("Connect Mautic first, on the Connection page.", "bad")
        return
    try:
        flash(act(connector), "ok")
    except IntegrationError as error:
        flash(str(error), "bad")
