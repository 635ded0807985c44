"""What the page shows: the last reconciliations, and the drift of one of them, filtered and paged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.models.drift import Drift, Reconciliation
from integration.url_filters import EntryId, OneOf, UrlFilter

#: Kind -> what it is called and means.
KINDS: Mapping[str, tuple[str, str]] = {
    "missing": ("Missing", "The store has the person, Mautic has no such contact."),
    "doubled": ("Doubled", "Mautic has several contacts with one e-mail address."),
    "differs": ("Differs", "Mautic has other values than the store gives."),
    "surplus": ("Surplus", "The contact is ours, but the store no longer has the person."),
}
FINDINGS_MAX_ROWS = 50


class DriftQuery(UrlFilter):
    """Which drift is shown: of one reconciliation, of a kind or "" for all, rows after an id."""

    connector_id: int
    reconciliation_id: int
    kind: Annotated[str, OneOf(KINDS)] = ""
    after: EntryId = 0

    @classmethod
    def parse(cls, connector_id: int, reconciliation_id: int, args: Mapping[str, Any]) -> tuple[DriftQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, connector_id=connector_id, reconciliation_id=reconciliation_id)

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return the query as a URL has it, with changes; `number` is the reconciliation."""
        return super().args(**{"number": self.reconciliation_id, **changes})


@dataclass(frozen=True, slots=True)
class DriftPage:
    """One page of drift; `next_after` leads to the next one; `waiting` rows are being repaired."""

    rows: Sequence[Drift]
    total: int
    next_after: int | None
    waiting: int


def latest(session: Session, connector_id: int, limit: int = 10) -> Sequence[Reconciliation]:
    """Return the newest reconciliations of a connector, newest first."""
    query = select(Reconciliation).where(Reconciliation.connector_id == connector_id)
    return session.scalars(query.order_by(Reconciliation.id.desc()).limit(limit)).all()


def one(session: Session, connector_id: int, reconciliation_id: int) -> Reconciliation | None:
    """Return a reconciliation of the connector, None for an unknown one and for another's."""
    row = session.get(Reconciliation, reconciliation_id)
    return row if row is not None and row.connector_id == connector_id else None


def read_page(session: Session, query: DriftQuery) -> DriftPage:
    """Return the rows that fit, in the order they were found."""
    mine = [Drift.reconciliation_id == query.reconciliation_id, Drift.connector_id == query.connector_id]
    fits = [*mine, Drift.kind == query.kind] if query.kind else mine
    rows = session.scalars(
        select(Drift).where(*fits, Drift.id > query.after).order_by(Drift.id).limit(FINDINGS_MAX_ROWS + 1)
    ).all()
    asked = (*mine, Drift.asked_at.is_not(None), Drift.repaired_at.is_(None))
    return DriftPage(
        rows=rows[:FINDINGS_MAX_ROWS],
        total=session.scalar(select(func.count()).select_from(Drift).where(*fits)) or 0,
        next_after=rows[FINDINGS_MAX_ROWS - 1].id if len(rows) > FINDINGS_MAX_ROWS else None,
        waiting=session.scalar(select(func.count()).select_from(Drift).where(*asked)) or 0,
    )


def repairable(session: Session, query: DriftQuery, kinds: Sequence[str]) -> int:
    """Return how many rows of these kinds wait for somebody to ask."""
    wanted = [query.kind] if query.kind in kinds else [] if query.kind else list(kinds)
    conditions = (
        Drift.reconciliation_id == query.reconciliation_id,
        Drift.connector_id == query.connector_id,
        Drift.kind.in_(wanted),
        Drift.asked_at.is_(None),
        Drift.repaired_at.is_(None),
    )
    return session.scalar(select(func.count()).select_from(Drift).where(*conditions)) or 0
