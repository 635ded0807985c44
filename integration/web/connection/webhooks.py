"""The store's webhooks on the Connection tab (P6): registered, looked at and removed with one click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import ServiceError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import webhook_registration
from integration.store.webhooks import WebhookHealth
from integration.web.frame import live
from integration.web.frame.access import connector_view, needs, record
from integration.web.frame.services import services

bp = Blueprint("webhooks", __name__, url_prefix="/connectors/<int:connector_id>/webhooks")


@dataclass(frozen=True, slots=True)
class WebhookState:
    """The health line: a badge's kind, a sentence and what to do."""

    kind: str
    sentence: str
    hint: str = ""


def judge(health: Sequence[WebhookHealth]) -> WebhookState:
    """Return what the states of the webhooks mean for the shop."""
    states = [one.state for one in health]
    if all(state == "missing" for state in states):
        return WebhookState("muted", "No webhooks are registered.", "Register them, so that changes arrive at once.")
    if "disabled" in states:
        return WebhookState(
            "bad",
            "The store has disabled webhooks after failed deliveries.",
            "Make sure that the store reaches the address below, then register them again.",
        )
    if any(state != "active" for state in states):
        return WebhookState("warn", "Some webhooks are missing or paused.", "Register them again.")
    return WebhookState("ok", "All webhooks are active.")


@bp.get("/status")
@needs(Role.SUPPORT)
@connector_view
def status(connector: Connector) -> str:
    """Ask the store how its webhooks are; a fragment inside the page, a page of its own without scripts."""
    health: Sequence[WebhookHealth] = ()
    try:
        health = webhook_registration.status(services(), connector.id)
        verdict = judge(health)
    except ServiceError as error:
        verdict = WebhookState("bad", error.sentence, error.hint)
    part = "connection/webhook_health.html" if live.is_part() else "connection/webhooks.html"
    return render_template(part, connector=connector, health=health, verdict=verdict)


@bp.post("/register")
@needs(Role.ADMIN)
@connector_view
def register(connector: Connector) -> ResponseReturnValue:
    """Register the webhooks in the store."""
    return _change(connector, webhook_registration.register, "registered")


@bp.get("/remove")
@needs(Role.ADMIN)
@connector_view
def remove(connector: Connector) -> str:
    """Ask before our webhooks are removed, and say what that does."""
    every = services().modules(connector).sync.every
    return render_template("connection/remove_webhooks.html", connector=connector, every=every)


@bp.post("/remove")
@needs(Role.ADMIN)
@connector_view
def remove_post(connector: Connector) -> ResponseReturnValue:
    """Remove our webhooks from the store."""
    return _change(connector, webhook_registration.remove, "removed")


def _change(connector: Connector, act: Callable[..., object], done: str) -> ResponseReturnValue:
    def audit(session: Session, diff: Diff) -> None:
        record(session, AuditAction.WEBHOOKS_CHANGED, f"webhooks {done}", diff, connector)

    try:
        act(services(), connector.id, audit=audit)
    except ServiceError as error:
        flash(f"The webhooks were not {done}. {error}", "bad")
        return _back(connector.id)
    flash(f"The webhooks are {done}.", "ok")
    return _back(connector.id)


def _back(connector_id: int) -> ResponseReturnValue:
    return redirect(url_for("connection.index", connector_id=connector_id, _anchor="webhooks"))
