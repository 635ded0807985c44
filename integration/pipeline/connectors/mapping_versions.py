"""The versions of a connector's own mapping: kept with author and time, compared, and taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from integration.mapping.own_checks import difference
from integration.models.mapping_version import MappingVersion
from integration.settings import MappingModule, MappingRow

#: So many versions are shown, and kept; older ones go when a new one comes.
VERSIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A version with what it changed against the one before it: {"order → vat": [before, after]}."""

    version: MappingVersion
    changes: dict[str, list[str | None]]


def newest(session: Session, connector_id: int) -> int:
    """Return the number of the newest version, 0 where there is none."""
    query = select(func.max(MappingVersion.number)).where(MappingVersion.connector_id == connector_id)
    return session.scalar(query) or 0


def keep(
    session: Session, now: datetime, connector_id: int, mapping: MappingModule, author: str, back_to: int | None = None
) -> int:
    """Keep the rows as the next version, in the caller's transaction, and return its number."""
    number = newest(session, connector_id) + 1
    rows = [row.model_dump() for row in mapping.rows]
    session.add(
        MappingVersion(
            connector_id=connector_id, number=number, rows=rows, author=author[:254], at=now, back_to=back_to
        )
    )
    session.flush()
    for old in session.scalars(_of(connector_id).where(MappingVersion.number <= number - VERSIONS_MAX)):
        session.delete(old)
    return number


def listed(session: Session, connector_id: int) -> list[Shown]:
    """Return the versions, the newest first, each with what it changed."""
    found = list(session.scalars(_of(connector_id)))
    pairs = zip_longest(found, found[1:])
    return [Shown(each, difference(rows(former), rows(each))) for each, former in pairs]


def at(session: Session, connector_id: int, number: int) -> MappingVersion | None:
    """Return one version, None where it is not kept."""
    return session.scalar(_of(connector_id).where(MappingVersion.number == number))


def overtaken(session: Session, connector_id: int, version: int) -> int:
    """Return the version that was saved since `version`, before the newest, which the caller has just kept; 0 for none.

    It is asked within the transaction that keeps the newest one.
    """
    before = newest(session, connector_id) - 1
    return before if before > version else 0


def rows(version: MappingVersion | None) -> Sequence[MappingRow]:
    """Return the rows of a version, none without one."""
    return MappingModule.from_json({"rows": version.rows}).rows if version else ()


def _of(connector_id: int) -> Select[tuple[MappingVersion]]:
    return (
        select(MappingVersion)
        .where(MappingVersion.connector_id == connector_id)
        .order_by(MappingVersion.number.desc())
        .limit(VERSIONS_MAX + 1)
    )
