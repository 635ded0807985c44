"""What is known of the store: REST root, name, time zone, currency, statuses; looked at again once a day."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from integration.errors import Rejected, ServiceError
from integration.mapping.orders import Shop
from integration.models.connector import Connector
from integration.pipeline.connectors import fingerprint
from integration.pipeline.services import Services
from integration.store import discovery

log = logging.getLogger(__name__)

MAX_AGE = timedelta(hours=24)
_SLUG = re.compile(r"[a-z0-9_-]+")
#: Key of the facts: what the store did not tell of itself, and why.
UNTOLD = "untold"
#: Key of the facts, and the route of the API: the store's own subscriptions.
SUBSCRIPTIONS = "subscriptions"
#: WooCommerce's own statuses; custom ones come from the store (woo:134).
STANDARD = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")


def refresh(services: Services, connector: Connector, *, always: bool = False) -> Connector:
    """Return the connector with its store's facts; raises ServiceError when the store cannot be found."""
    if not always and connector.store_rest_root and not _old(services, connector):
        return connector
    access = services.store_access(connector)
    found = discovery.discover(access, services.route(connector, access.ca), services.observers(connector))
    with services.db.write() as session:
        row = session.get_one(Connector, connector.id)
        row.store_rest_root = found.rest_root
        row.store_facts = {
            **row.store_facts,
            **_facts(found),
            UNTOLD: dict(found.untold),
            "at": services.clock.now().isoformat(),
        }
        # An index that is hidden tells no address: then `home` is only what was typed.
        home = "" if discovery.HIDDEN_INDEX in found.untold else found.home
        key, ours = access.key, services.deployment.public_url or ""
        fingerprint.look(session, services.clock.now(), row, home, key, ours)
        session.flush()
        session.expunge_all()
    return _with_subscriptions(services, _with_statuses(services, row))


def has_subscriptions(connector: Connector) -> bool | None:
    """Return whether the store has subscriptions of its own (WooCommerce Subscriptions), None while that is unknown."""
    known = connector.store_facts.get(SUBSCRIPTIONS)
    return known if isinstance(known, bool) else None


def _old(services: Services, connector: Connector) -> bool:
    at = connector.store_facts.get("at")
    return not at or services.clock.now() - datetime.fromisoformat(at) > MAX_AGE


def _facts(found: discovery.Discovery) -> dict[str, Any]:
    known = {
        "name": found.name,
        "home": found.home,
        "timezone": found.timezone,
        "gmt_offset": found.gmt_offset,
        "currency": found.currency,
        "decimals": found.decimals,
        "locale": found.locale,
        "version": found.wc_version,
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _with_statuses(services: Services, connector: Connector) -> Connector:
    """Add the store's own list of statuses; where it is not told, those known before or the standard ones stay."""
    client = services.open_store(connector)
    try:
        listed, why = [[slug, name] for slug, name in discovery.statuses(client)], ""
    except ServiceError as error:
        if discovery.is_about_all(error):
            raise
        listed, why = [], str(error)
    with services.db.write() as session:
        row = session.get_one(Connector, connector.id)
        if listed:
            row.store_facts = {**row.store_facts, "statuses": listed}
        if why:
            untold = {**row.store_facts.get(UNTOLD, {}), "reports/orders/totals": why}
            row.store_facts = {**row.store_facts, UNTOLD: untold}
        session.flush()
        session.expunge_all()
    return row


def _with_subscriptions(services: Services, connector: Connector) -> Connector:
    """Add whether the store has subscriptions, by the routes of its API; it may not tell, then what was known stays.

    It is asked for that only where subscriptions are synced: the list of routes is long.
    """
    if not services.modules(connector).orders.subscriptions:
        return connector
    try:
        known = discovery.has_route(services.open_store(connector), SUBSCRIPTIONS)
    except ServiceError as error:
        log.info("The routes of the store's API could not be read: %s", error)
        return connector
    with services.db.write() as session:
        row = session.get_one(Connector, connector.id)
        row.store_facts = {**row.store_facts, SUBSCRIPTIONS: known}
        session.flush()
        session.expunge_all()
    return row


def refuses_status(error: ServiceError) -> bool:
    """Tell whether the store does not know a status that was asked for: its plugin was switched off (woo:197)."""
    return isinstance(error, Rejected) and error.code == "invalid_param" and "status" in error.details


def statuses_again(services: Services, connector: Connector, refusal: ServiceError) -> Connector:
    """Return the connector with its statuses asked again; what the refusal does not name as known is left out.

    The refusal lists what the store knows, so that it serves a key that may not read the reports too. Raises
    ServiceError when the store cannot be found.
    """
    fresh = refresh(services, connector, always=True)
    details = refusal.details if isinstance(refusal, Rejected) else {}
    known = set(_SLUG.findall(str(details.get("status", ""))))
    listed = [[slug, name] for slug, name in fresh.store_facts.get("statuses", []) if slug in known]
    listed = listed or [[slug, slug] for slug in STANDARD if slug in known]
    with services.db.write() as session:
        row = session.get_one(Connector, connector.id)
        row.store_facts = {**row.store_facts, "statuses": listed}
        session.flush()
        session.expunge_all()
    return row


def statuses(connector: Connector) -> tuple[str, ...]:
    """Return every order status of the store but drafts: the list that reading must name (woo:460)."""
    listed = [slug for slug, _ in connector.store_facts.get("statuses", [])]
    found = [slug for slug in listed if slug not in ("checkout-draft", "auto-draft", "trash")]
    return tuple(found or STANDARD)


def shop(stored: Mapping[str, Any]) -> Shop:
    """Return from a connector's `store_facts` what mappings need beside the currency."""
    return Shop(stored.get("decimals"), str(stored.get("locale") or ""))
