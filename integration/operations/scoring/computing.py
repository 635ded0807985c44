"""Computes the classes a page of buyers at a time: each page is one short transaction with the place it came to.

A process that is killed loses nothing: another goes on from that place. While much is on its way to Mautic it waits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import streams
from integration.models.buyer_score import BuyerScore
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.delivery import Delivery
from integration.operations.scoring import buyers
from integration.operations.scoring.buyers import Borders, Buyer, Counting
from integration.operations.scoring.report import BUYERS_MIN, FIGURES, Report
from integration.pipeline.ingest import records
from integration.pipeline.outbox.states import OPEN
from integration.pipeline.services import Services
from integration.records import Score
from integration.settings import Modules
from integration.streams import scores as scores_stream

PAGE_BUYERS = 500
#: It waits while so many scores are on their way to Mautic.
OPEN_MAX = 3000
#: A person key has only hexadecimal digits, so that no buyer is behind this one.
_LAST = "g"
_UNKNOWN = "The shop's currency is not known, and the paid orders are in several: {}. Let the API key tell it."
_FEW = "The shop has fewer than {} buyers, who cannot be parted into five classes."


@dataclass(frozen=True, slots=True)
class _Page:
    """Buyers in the order of their keys, up to the key `last` inclusively."""

    buyers: Sequence[Buyer]
    after: str
    last: str


def begin(services: Services, connector_id: int) -> Report:
    """Find the borders of a connector's classes and keep them as a computation that is going."""
    now = services.clock.now()
    with services.db.read() as session:
        report = _begun(session, session.get_one(Connector, connector_id), now)
    with services.db.write() as session:
        session.get_one(Connector, connector_id).score_report = report.to_json()
    return report


def _begun(session: Session, connector: Connector, now: datetime) -> Report:
    paid = Modules.from_json(connector.settings).orders.paid_statuses
    report = Report(at=now.isoformat(), currency=str(connector.store_facts.get("currency") or ""))
    if not report.currency:
        found = buyers.currencies(session, connector.id, paid)
        if len(found) > 1:
            report.why = _UNKNOWN.format(", ".join(found))
            return report
        report.currency = next(iter(found), "")
    counting = Counting(connector.id, paid, report.currency)
    report.buyers = counting.count(session)
    if report.buyers < BUYERS_MIN:
        report.why = _FEW.format(BUYERS_MIN)
    else:
        report.part(counting.borders(session, report.buyers))
    return report


def go_on(services: Services, connector_id: int) -> bool:
    """Put further buyers into their classes and owe those who moved to Mautic; return whether it is done.

    It is not while too much is on its way, and goes on with the next call.
    """
    while True:
        with services.db.read() as session:
            connector = session.get_one(Connector, connector_id)
            report = Report.of(connector.score_report)
            if report is None or not report.going:
                return True
            if _on_the_way(session, connector_id) >= OPEN_MAX:
                return False
            page = _page(session, connector, report)
        _take(services, connector_id, report, page)
        services.wakeup.ring(connector_id)


def _on_the_way(session: Session, connector_id: int) -> int:
    mine = (Delivery.connector_id == connector_id, Delivery.kind == scores_stream.KIND, OPEN)
    few = select(Delivery.id).where(*mine).limit(OPEN_MAX).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0


def _page(session: Session, connector: Connector, report: Report) -> _Page:
    """Return the next buyers; without classes there are none, and all who had one lose it.

    A page has no more buyers, and of former ones no more scores, than are taken at once.
    """
    scored = select(BuyerScore.person_key).where(
        BuyerScore.connector_id == connector.id, BuyerScore.person_key > report.after
    )
    last = session.scalar(scored.order_by(BuyerScore.person_key).offset(PAGE_BUYERS - 1).limit(1)) or _LAST
    if report.parted is None:
        return _Page((), report.after, last)
    paid = Modules.from_json(connector.settings).orders.paid_statuses
    found = Counting(connector.id, paid, report.currency).page(session, report.after, PAGE_BUYERS)
    last = min(last, found[-1].person_key if len(found) == PAGE_BUYERS else _LAST)
    return _Page([each for each in found if each.person_key <= last], report.after, last)


def _take(services: Services, connector_id: int, report: Report, page: _Page) -> None:
    borders = report.parted
    classes = {each.person_key: _score(borders, each) for each in page.buyers} if borders else {}
    report.count(list(classes.values()))
    with services.db.write() as session:
        now, connector = services.clock.now(), session.get_one(Connector, connector_id)
        kept = Report.of(connector.score_report)
        if kept is None or (kept.at, kept.after) != (report.at, page.after):
            # Another process went on meanwhile, or a new computation has begun.
            return
        moved = _moved(session, now, connector_id, classes, page)
        changes = [scores_stream.change_of(score, key, now) for key, score in moved.items()]
        records.accept(session, now, connector_id, changes)
        if changes:
            services.on_accept(session, connector_id)
        report.after, report.moved = page.last, report.moved + len(changes)
        report.done_at = now.isoformat() if page.last == _LAST else ""
        connector.score_report = report.to_json()


def _score(borders: Borders, buyer: Buyer) -> Score:
    return Score(0, *borders.classes(buyer))


def _moved(
    session: Session, now: datetime, connector_id: int, classes: Mapping[str, Score], page: _Page
) -> dict[str, Score]:
    """Keep the classes of a page; return those of the contacts among the buyers that are others than before."""
    mine = (BuyerScore.connector_id == connector_id, BuyerScore.person_key > page.after)
    query = select(BuyerScore).where(*mine, BuyerScore.person_key <= page.last)
    known = {row.person_key: row for row in session.scalars(query)}
    gone = dict.fromkeys([key for key in known if key not in classes], Score(0))
    wanted = {**classes, **gone}
    others = {key: score for key, score in wanted.items() if _of(known.get(key)) != replace(score, id=0)}
    rows: dict[str, BuyerScore] = {}
    for key in _contacts(session, connector_id, others):
        row = rows[key] = known.get(key) or BuyerScore(connector_id=connector_id, person_key=key)
        row.recency, row.frequency, row.monetary = (getattr(others[key], name) for name in FIGURES)
        row.scored_at = now
    session.add_all(rows.values())
    session.flush()
    return {key: replace(others[key], id=row.id) for key, row in rows.items()}


def _of(row: BuyerScore | None) -> Score:
    return Score(0) if row is None else Score(0, row.recency, row.frequency, row.monetary)


def _contacts(session: Session, connector_id: int, keys: Collection[str]) -> list[str]:
    if not keys:
        return []
    mine = (ContactLink.connector_id == connector_id, ContactLink.person_key.in_(sorted(keys)))
    return list(session.scalars(select(ContactLink.person_key).where(*mine).order_by(ContactLink.person_key)))


def is_on(modules: Modules) -> bool:
    """Return whether a connector's classes are computed."""
    return streams.of(scores_stream.KIND).is_enabled(modules)
