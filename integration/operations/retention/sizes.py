"""How much is stored: rows of an organisation from the counts, bytes of the installation from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from integration.models.audit import AuditEntry
from integration.models.base import Base
from integration.models.counts import RecordCount
from integration.models.run import Run
from integration.models.sync_log import SyncLogCount


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of one kind that an organisation has; `keep` are the settings of retention that they follow."""

    label: str
    rows: int
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes on disk: the whole database, its largest tables where the database tells, the files of the instance."""

    database: int
    tables: Sequence[tuple[str, int]]
    files: int


def rows_of(session: Session, organisation_id: int, connector_ids: Sequence[int]) -> list[Stored]:
    """Return how many rows of each kind an organisation has."""
    logged = _sum(session, SyncLogCount.entries, SyncLogCount.connector_id, connector_ids)
    recorded = _sum(session, RecordCount.records, RecordCount.connector_id, connector_ids)
    ran = select(func.count()).select_from(Run).where(Run.connector_id.in_(connector_ids))
    audited = select(func.count()).select_from(AuditEntry).where(AuditEntry.organisation_id == organisation_id)
    return [
        Stored("Sync Log entries", logged, ("success", "errors")),
        Stored("Records with their attempts", recorded, ("deliveries",)),
        Stored("Runs with their logs", session.scalar(ran) or 0, ("runs", "payload_hours")),
        Stored("Audit log entries", session.scalar(audited) or 0, ("audit",)),
    ]


def _sum(session: Session, counter: Any, owner: Any, connector_ids: Sequence[int]) -> int:
    return int(session.scalar(select(func.coalesce(func.sum(counter), 0)).where(owner.in_(connector_ids))) or 0)


def of_installation(session: Session, instance_path: Path) -> Sizes:
    """Return the bytes of the database and of the files beside it."""
    files = sum(
        path.stat().st_size for path in instance_path.rglob("*") if path.is_file() and "sqlite" not in path.name
    )
    if session.get_bind().dialect.name == "sqlite":
        pages = session.execute(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
        return Sizes(int(pages.scalar_one()), (), files)
    whole = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return Sizes(int(whole), _largest(session), files)


def _largest(session: Session) -> list[tuple[str, int]]:
    query = text("SELECT pg_total_relation_size(to_regclass(:name))")
    sizes = [(name, int(session.execute(query, {"name": name}).scalar() or 0)) for name in Base.metadata.tables]
    return sorted(sizes, key=lambda pair: -pair[1])[:8]
