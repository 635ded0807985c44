"""Where the ids on a page lead: to our own pages, into Mautic and into the store's administration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flask import url_for

from integration import streams
from integration.models.connector import Connector
from integration.models.sync_log import SyncLogEntry
from integration.store.access import home

#: Stands for an id in an address, and is longer than any other number there.
_ANY_ID = 10**18


@dataclass(frozen=True)
class Addresses:
    """The addresses of one connector's records, contacts, customers and orders."""

    connector: Connector

    def record(self, delivery_id: int) -> str:
        """Return our page of a record."""
        return self._record.replace(str(_ANY_ID), str(delivery_id))

    @cached_property
    def _record(self) -> str:
        # Made once, for a list has a hundred.
        return url_for("record.show", connector_id=self.connector.id, delivery_id=_ANY_ID)

    def contact(self, contact_id: int | None) -> str:
        """Return the contact's page in Mautic, "" when there is none."""
        if contact_id is None or not self.connector.mautic_url:
            return ""
        return self.mautic(f"contacts/view/{contact_id}")

    def store_keys(self) -> str:
        """Return the page of the store's administration that makes a REST key."""
        page = "admin.php?page=wc-settings&tab=advanced&section=keys&create-key=1"
        return f"{home(self.connector.store_url)}/wp-admin/{page}"

    def mautic(self, page: str) -> str:
        """Return a page of Mautic's administration."""
        return f"{self.connector.mautic_url}/s/{page}"

    def object(self, entry: SyncLogEntry) -> str:
        """Return the page of a log entry's order or customer in the store's administration, "" when there is none."""
        return self.source(entry.type, entry.source_id or entry.object_id)

    def source(self, kind: str, source_id: str) -> str:
        """Return the order's or customer's page in the store's administration, "" when there is none."""
        shop = str(self.connector.store_facts.get("home") or self.connector.store_url)
        if not shop or not source_id.isdigit():
            return ""
        return streams.of(kind).admin_url(shop, source_id)
