"""The receipt of an erasure: what was deleted where and when, and nothing of the person but a hash."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.erasure import Erasure
from integration.operations.erasure.in_systems import CHOICES
from integration.words import counted

LISTED_MAX = 100
_HASH = "SHA-256 of the address in small letters, without blanks, its domain in ASCII"


def find(session: Session, organisation_id: int, receipt: str) -> Erasure | None:
    """Return an organisation's erasure by its receipt's id, None where there is none."""
    mine = Erasure.organisation_id == organisation_id, Erasure.receipt == receipt
    return session.scalar(select(Erasure).where(*mine))


def listed(session: Session, organisation_id: int) -> Sequence[Erasure]:
    """Return the newest erasures of an organisation."""
    mine = select(Erasure).where(Erasure.organisation_id == organisation_id)
    return session.scalars(mine.order_by(Erasure.id.desc()).limit(LISTED_MAX)).all()


def where_of(session: Session, row: Erasure) -> str:
    """Return in words where the person was erased."""
    if row.connector_id is None:
        return "all connectors"
    name = session.scalar(select(Connector.name).where(Connector.id == row.connector_id))
    return f"connector {row.connector_id}" + (f" ({name})" if name else "")


def as_dict(row: Erasure, where: str) -> dict[str, Any]:
    """Return the receipt as JSON has it."""
    return {
        "receipt": row.receipt,
        "state": row.state,
        "address_hash": row.address_hash,
        "hash_is": _HASH,
        "where": where,
        "asked_by": row.asked_by,
        "asked_at": _moment(row.asked_at),
        "started_at": _moment(row.started_at),
        "ended_at": _moment(row.ended_at),
        "removed": dict(sorted(row.counts.items())),
        "in_mautic": {"asked": row.in_mautic, "done": list(row.in_systems)},
        "blocked": row.block,
        "remains": list(row.remains),
        "waits_for": row.error,
    }


def as_json(row: Erasure, where: str) -> str:
    """Return the receipt as a file of JSON."""
    return json.dumps(as_dict(row, where), ensure_ascii=False, indent=2) + "\n"


def as_text(row: Erasure, where: str) -> str:
    """Return the receipt as a text for people."""
    lines = [
        f"Receipt of an erasure: {row.receipt}",
        f"State: {row.state}" + (f". {row.error}" if row.error else ""),
        f"Person: {row.address_hash} ({_HASH})",
        f"Where: {where}",
        f"Asked by: {row.asked_by}, {_moment(row.asked_at)}",
        f"Begun: {_moment(row.started_at) or 'not yet'}",
        f"Ended: {_moment(row.ended_at) or 'not yet'}",
        "",
        "Removed:",
        *(f"  {name}: {number:,}" for name, number in sorted(row.counts.items())),
        *([] if row.counts else ["  nothing was kept of this person"]),
        "",
        f"In Mautic: {CHOICES[row.in_mautic]}",
        *(_in_system(each) for each in row.in_systems),
        "",
        "Taken up again: " + ("no, the address is blocked (as a hash)" if row.block else "yes, if something new comes"),
        *(["", "What stays:", *(f"  {sentence}" for sentence in row.remains)] if row.remains else []),
    ]
    return "\n".join(lines) + "\n"


def _in_system(each: dict[str, Any]) -> str:
    contacts, coupons = counted(each["contacts"], "contact"), counted(each["coupons"], "coupon")
    return f"  {each['connector']}: {contacts} in Mautic, {coupons} in the store"


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""
