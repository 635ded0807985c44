"""What is known of the store: REST root, name, time zone, currency, statuses; looked at again once a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from integration.errors import ServiceError
from integration.mapping.orders import Shop
from integration.models.connector import Connector
from integration.pipeline.services import Services
from integration.store import discovery

MAX_AGE = timedelta(hours=24)
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
        row.store_facts = {**row.store_facts, **_facts(found), "at": services.clock.now().isoformat()}
        session.flush()
        session.expunge_all()
    return _with_statuses(services, row)


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
    """Add the store's own list of statuses; a key that may not read reports leaves the standard ones."""
    client = services.open_store(connector)
    try:
        listed = [[slug, name] for slug, name in discovery.statuses(client)]
    except ServiceError as error:
        if error.status is None or error.status >= 500:
            raise
        listed = []
    with services.db.write() as session:
        row = session.get_one(Connector, connector.id)
        if listed:
            row.store_facts = {**row.store_facts, "statuses": listed}
        session.flush()
        session.expunge_all()
    return row


def statuses(connector: Connector) -> tuple[str, ...]:
    """Return every order status of the store but drafts: the list that reading must name (recording 460)."""
    listed = [slug for slug, _ in connector.store_facts.get("statuses", [])]
    found = [slug for slug in listed if slug not in ("checkout-draft", "auto-draft", "trash")]
    return tuple(found or STANDARD)


def shop(stored: Mapping[str, Any]) -> Shop:
    """Return from a connector's `store_facts` what mappings need beside the currency."""
    return Shop(stored.get("decimals"), str(stored.get("locale") or ""))
