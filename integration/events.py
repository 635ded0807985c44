"""What happened in the store: the nouns that cross the border into the pipeline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What kind of record a change is about; the values are those of the sync log's Type column."""

    CONTACT = "contact"
    ORDER = "order"
    CART = "abandoned_cart"
    RECURRING = "recurring_order"
    SCORE = "rfm"


class Origin(StrEnum):
    """What brought the change to us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    INITIAL = "initial"
    FULL = "full"
    BULK = "bulk"
    REPLAY = "replay"
    API = "api"
    FORM = "form"
    SCORES = "scores"


#: Origins that carry history: they never send e-mails (P40) and yield to live traffic.
HISTORICAL = frozenset({Origin.INITIAL, Origin.FULL, Origin.BULK, Origin.REPLAY, Origin.SCORES})


def content_hash(value: object) -> str:
    """Return 64 hex digits over the canonical JSON of a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one record of the store.

    `event` is created, updated, deleted, or for orders the status (completed, refunded, …). `person_key` is "" when the
    record has no e-mail. `modified_at` is date_modified_gmt, None where the store has none. `reached_at` is when an
    order reached its status, if this change stands for that event; `restored` says that it came out of the trash.
    `version` is the end of its identity where that was told before, without a payload to tell it by.
    """

    kind: Kind
    source_id: str
    event: str
    person_key: str
    payload: Mapping[str, Any]
    seen_at: datetime
    origin: Origin
    modified_at: datetime | None = None
    number: str = ""
    reached_at: datetime | None = None
    restored: bool = False
    version: str = ""

    @property
    def ordering_key(self) -> str:
        """Return the key that its delivery waits its turn by: the person's, else one of the record's own."""
        return self.person_key or f"{self.kind}:{self.source_id}"

    @property
    def identity(self) -> str:
        """Return what makes two sightings one change: kind, id, what and date_modified_gmt or the record's hash.

        A program may tell two things of a record in one second, so that there both count.
        """
        return f"{self.kind}:{self.source_id}:{self.event}:{self.version or self.version_read}"

    @property
    def version_read(self) -> str:
        """Return what tells the record from itself at another time."""
        version = self.modified_at.isoformat() if self.modified_at else content_hash(self.payload)
        if self.modified_at and self.origin is Origin.API:
            version += f":{content_hash(self.payload)[:16]}"
        return version
