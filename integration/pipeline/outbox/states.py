"""The states as SQL conditions."""

from __future__ import annotations

from sqlalchemy import literal_column

from integration.models.delivery import Delivery

# A bound parameter would keep SQLite from using the partial indexes, so the states stand as literals.
OPEN = Delivery.state.in_([literal_column(f"'{state}'") for state in ("waiting", "ready", "leased")])
READY = Delivery.state == literal_column("'ready'")
WAITING = Delivery.state == literal_column("'waiting'")
LEASED = Delivery.state == literal_column("'leased'")
