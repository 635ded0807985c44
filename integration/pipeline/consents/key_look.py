"""Looks whether the shop's newest records have the meta keys of consent: a mistyped key would keep everybody out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integration.errors import IntegrationError
from integration.mapping.consent import means_yes
from integration.models.connector import Connector
from integration.pipeline.services import Services
from integration.settings import ConsentModule
from integration.store.asked import Asked
from integration.store.client import StoreClient
from integration.store.meta_data import asked
from integration.streams import samples

#: So many of the newest records are looked at, by one call for each key.
LOOKED_AT = 100
_FIELDS = "id,meta_data"


@dataclass(frozen=True, slots=True)
class KeySeen:
    """How often a key stands in the newest `records` of a kind, and how often with a yes; `problem` is why not known.

    `setting` is the dotted setting that has the key.
    """

    setting: str
    key: str
    noun: str
    records: int = 0
    seen: int = 0
    yes: int = 0
    problem: str = ""

    @property
    def sentence(self) -> str:
        """Return what was found."""
        if self.problem:
            return f"“{self.key}” could not be looked for in the shop: {self.problem}"
        if not self.records:
            return f"The shop has no {self.noun}s yet that “{self.key}” could be looked for in."
        which = f"the last {self.records} {self.noun}s" if self.records > 1 else f"the only {self.noun}"
        if not self.seen:
            return f"“{self.key}” was not seen in {which}. Look whether the key is spelled as the shop writes it."
        return f"“{self.key}” was seen in {self.seen} of {which}, {self.yes} of them with a yes."

    @property
    def kind(self) -> str:
        """Return the colour of its notice."""
        return "warn" if self.problem or (self.records and not self.yes) else "info"


def look(services: Services, connector: Connector) -> list[KeySeen]:
    """Return for each key that is set what the shop's newest records have under it."""
    module = services.modules(connector).consent
    wanted: list[tuple[str, str, str, str, Mapping[str, Any]]] = [
        ("consent.customer_field", module.customer_field, "customer", "customers", {"role": "all"}),
        ("consent.order_field", module.order_field, "order", "orders", {}),
    ]
    client = services.open_store(connector) if connector.store_url else None
    return [_look(client, module, *each) for each in wanted if each[1] and client is not None]


def _look(
    client: StoreClient, module: ConsentModule, setting: str, key: str, noun: str, path: str, query: Mapping[str, Any]
) -> KeySeen:
    try:
        rows: Sequence[Mapping[str, Any]] = samples.newest(client, path, _FIELDS, LOOKED_AT, Asked((key,)), **query)
    except IntegrationError as error:
        return KeySeen(setting, key, noun, problem=str(error))
    told = [asked(row).get(key) for row in rows]
    there = [value for value in told if value is not None]
    return KeySeen(setting, key, noun, len(rows), len(there), sum(means_yes(v, module.yes_values) for v in there))
