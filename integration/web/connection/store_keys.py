"""Lets the store make its own REST key and hand it over (P2), by its page /wc-auth/v1/authorize.

The administrator of the store agrees there; WooCommerce then posts the key to us before it sends the browser back.
"""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from integration import json_text
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations import audit
from integration.pipeline.audited import Audit, Diff
from integration.pipeline.connectors import connectors as pairs
from integration.store.access import home
from integration.web.connection import checks, onward
from integration.web.frame.access import connector_view, me, needs, public
from integration.web.frame.security import csrf
from integration.web.frame.services import services

bp = Blueprint("store_keys", __name__)
GOOD_FOR = 15 * 60


def offered(connector: Connector) -> bool:
    """Return whether the store can hand over a key: WooCommerce calls back over https only."""
    return bool(connector.store_url) and services().base_url.startswith("https://")


@bp.get("/connectors/<int:connector_id>/connection/store-key")
@needs(Role.ADMIN)
@connector_view
def ask(connector: Connector) -> ResponseReturnValue:
    """Send the administrator to the store's page that makes a key."""
    if not offered(connector):
        abort(404)
    base = services().base_url
    query = {
        "app_name": "Woo Mautic",
        "scope": "read_write",
        "user_id": make_state(connector, me().email),
        "return_url": base + url_for("store_keys.back", connector_id=connector.id, **onward.asked()),
        "callback_url": base + url_for("store_keys.take"),
    }
    return redirect(f"{home(connector.store_url)}/wc-auth/v1/authorize?{urlencode(query)}")


@bp.get("/connectors/<int:connector_id>/connection/store-key/back")
@needs(Role.ADMIN)
@connector_view
def back(connector: Connector) -> ResponseReturnValue:
    """Say what came of it when the store sends the browser back."""
    guided = onward.is_guided(request.args)
    if request.args.get("success") != "1":
        flash("The store was not allowed to hand over a key. Try again, or paste a key made by hand.", "bad")
    elif guided:
        checks.stored(connector, "store")
    else:
        flash("The store has handed over a key. Test the connection now.", "ok")
    return redirect(onward.url(connector.id, "store", guided=guided))


@bp.post("/store-keys")
@public
def take() -> ResponseReturnValue:
    """Take the key from the store; it has to name a state that we gave out, and only 200 is success to WooCommerce."""
    try:
        given = json_text.received(request.get_data())
    except ValueError:
        given = {}
    given = given if isinstance(given, dict) else {}
    key, secret = str(given.get("consumer_key", "")), str(given.get("consumer_secret", ""))
    connector, actor = _asked_for(str(given.get("user_id", "")))
    if connector is None or not key.startswith("ck_") or not secret.startswith("cs_"):
        return "", 403
    pairs.connect(services(), connector.id, audit=_audit(connector, actor), store_key=key, store_secret=secret)
    return "", 200


csrf.exempt(take)


def make_state(connector: Connector, actor: str) -> str:
    """Return a signed state that is good once, for 15 minutes, and for this connector only.

    It names the secrets as they are now: the key that comes with it changes them, so it cannot be used again.
    """
    at = int(services().clock.now().timestamp())
    return _signer().dumps([connector.id, at, _fingerprint(connector), actor, secrets.token_urlsafe(12)])


def _asked_for(state: str) -> tuple[Connector | None, str]:
    try:
        number, at, fingerprint, actor, _ = _signer().loads(state)
    except (BadSignature, ValueError, TypeError):
        return None, ""
    with services().db.read() as session:
        connector = session.get(Connector, number)
    fresh = services().clock.now().timestamp() - at <= GOOD_FOR
    if connector is None or not fresh or not secrets.compare_digest(fingerprint, _fingerprint(connector)):
        return None, ""
    return connector, actor


def _fingerprint(connector: Connector) -> str:
    return hashlib.sha256(f"{connector.secrets}|{connector.store_url}".encode()).hexdigest()[:24]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(services().deployment.secret_key, salt="store keys")


def _audit(connector: Connector, actor: str) -> Audit[Diff]:
    return lambda session, diff: audit.record(
        session,
        clock_now=services().clock.now(),
        organisation_id=connector.organisation_id,
        connector_id=connector.id,
        actor=actor,
        ip=request.remote_addr or "",
        action=AuditAction.UPDATED,
        entity=f"key handed over by the store of {connector.name}",
        diff=diff,
    )
