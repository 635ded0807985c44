"""What is found wrong with a connector, and the causes that are looked for (F3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Cause -> what it is called.
CAUSES: Mapping[str, str] = {
    "store_changed": "The store may be a copy",
    "held_mautic": "Sending to Mautic is on hold",
    "held_store": "Reading the store is on hold",
    "failing": "Too many records fail",
    "no_sync": "No sync for too long",
    "dead_letters": "Dead letters wait",
    "run_failed": "A run has failed",
    "worker_down": "No worker is running",
    "disk_full": "The disk takes nothing more",
    "disk_low": "The disk is nearly full",
    "drift": "Store and Mautic differ",
    "webhook_gap": "Webhooks do not come",
    "authority_ends": "An own certificate authority ends",
    "mapping_lost": "A mapped field has changed in Mautic",
}
#: Causes that concern every connector, so of all of them a group is told, whichever it has chosen.
COMMON = ("worker_down", "disk_full", "disk_low")
#: Cause -> the part of the connector's pages where it is mended, or with a slash a page of the installation.
PAGES: Mapping[str, str] = {
    "store_changed": "connection",
    "held_mautic": "connection",
    "held_store": "connection",
    "failing": "dead-letters",
    "no_sync": "runs",
    "dead_letters": "dead-letters",
    "run_failed": "runs",
    "worker_down": "runs",
    "disk_full": "/storage",
    "disk_low": "/storage",
    "drift": "reconciliation",
    "webhook_gap": "reconciliation",
    "authority_ends": "connection",
    "mapping_lost": "mapping",
}
#: What mends itself within this time is told to nobody.
TOLD_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that is there now; `since` None means that nobody knows how long.

    With `opens` False it keeps an alert open but opens none: something else that is told already explains it.
    """

    cause: str
    sentence: str
    hint: str = ""
    since: datetime | None = None
    opens: bool = True
