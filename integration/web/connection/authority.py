"""What the Connection tab shows of the authorities that are kept: who they are, until when, and their fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from integration import certificates
from integration.certificates import Certificate


@dataclass(frozen=True, slots=True)
class Shown:
    """One certificate with what is said of its dates ("" while all is well) and how grave that is."""

    certificate: Certificate
    said: str
    kind: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for one side: its certificates, or the path of a file that could not be read."""

    rows: Sequence[Shown]
    unread: str


def shown(text: str, now: datetime) -> Kept:
    """Return what a kept text shows at a moment."""
    rows = [_row(each, now) for each in certificates.stored(text)]
    return Kept(rows, text if certificates.is_unread(text) else "")


def _row(found: Certificate, now: datetime) -> Shown:
    if state := found.state(now):
        return Shown(found, state, "bad")
    return Shown(found, "ends soon", "warn") if certificates.ending([found], now) else Shown(found, "", "ok")
