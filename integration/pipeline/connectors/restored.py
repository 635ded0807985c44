"""A connector whose rows came from a backup: what was done after the backup is not known here, so Mautic is asked.

`Connector.fingerprint["restored"]` is {"since": when the backup was made, "until": when it was put back}, both ISO.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from integration.models.connector import Connector
from integration.pipeline.connectors import fingerprint
from integration.pipeline.delivery.groups import LeasedDelivery

#: The store's clock and ours may differ by so much.
_CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Gap:
    """The time of which nothing is known: from the backup to its being put back (aware)."""

    since: datetime
    until: datetime

    def covers(self, leased: LeasedDelivery) -> bool:
        """Tell whether what follows this record may have been done already, in the time that is not known."""
        return (leased.reached_at or leased.payload_at) <= self.until + _CLOCKS_DIFFER


def mark(connector: Connector, now: datetime, backup_at: datetime) -> None:
    """Make a connector read-only that was put back now from a backup, until a person says that it may go on."""
    told = f"It was put back from a backup of {backup_at:%-d %B %Y, %H:%M} UTC; what was sent later is not known here."
    fingerprint.suspect(connector, now, told, restored=True)
    kept = {"since": backup_at.isoformat(), "until": now.isoformat()}
    connector.fingerprint = {**connector.fingerprint, "restored": kept}


def gap_of(connector: Connector) -> Gap | None:
    """Return the time of which a connector knows nothing, None where it was never put back from a backup."""
    kept = connector.fingerprint.get("restored")
    return Gap(*(datetime.fromisoformat(kept[name]) for name in ("since", "until"))) if kept else None
