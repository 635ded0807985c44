"""What pages read of subscriptions: one page of a list, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.models.sql import counted_upto
from integration.models.subscription import Subscription, SubscriptionState
from integration.url_filters import Day, EntryId, OneOf, Text, UrlFilter, WholeNumber, begin_of, end_of

ROWS_MIN, ROWS_DEFAULT, ROWS_MAX = 10, 25, 100
#: Rows of a page that can be chosen.
SIZES = (10, 25, 50, 100)
#: Subscriptions that fit a filter are counted exactly up to here.
COUNTED_ROWS_MAX = 10_000
#: State -> its word and the colour of its badge.
STATES: Mapping[str, tuple[str, str]] = {
    SubscriptionState.PENDING: ("Not confirmed", "warn"),
    SubscriptionState.CONFIRMED: ("On its way", "info"),
    SubscriptionState.SENT: ("In Mautic", "ok"),
}


class SubscriptionQuery(UrlFilter):
    """Subscriptions of a connector, newest first, from before the id `before`; days are of the site's zone."""

    connector_id: int
    state: Annotated[str, OneOf(tuple(STATES))] = ""
    email: Text = ""
    since: Day = None
    until: Day = None
    size: Annotated[int, WholeNumber(ROWS_MIN, ROWS_MAX)] = ROWS_DEFAULT
    before: EntryId = 0
    zone: str = "UTC"

    @classmethod
    def parse(
        cls, connector_id: int, args: Mapping[str, Any], zone: str = "UTC"
    ) -> tuple[SubscriptionQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, zone, connector_id=connector_id)

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("size", "before")


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """One page of subscriptions; `total` is how many fit and whether that is exact, `older` the id to go on from."""

    rows: Sequence[Subscription]
    total: tuple[int, bool]
    older: int | None


def read_page(session: Session, query: SubscriptionQuery) -> SubscriptionPage:
    """Return the page that a query asks for."""
    where = _conditions(query)
    total = counted_upto(session, select(Subscription.id).where(*where), COUNTED_ROWS_MAX)
    if query.before:
        where.append(Subscription.id < query.before)
    found = select(Subscription).where(*where).order_by(Subscription.id.desc()).limit(query.size + 1)
    rows = session.scalars(found).all()
    shown = rows[: query.size]
    return SubscriptionPage(shown, total, shown[-1].id if len(rows) > query.size else None)


def _conditions(query: SubscriptionQuery) -> list[ColumnElement[bool]]:
    found = [Subscription.connector_id == query.connector_id]
    if query.state:
        found.append(Subscription.state == query.state)
    if query.email:
        found.append(Subscription.person_key == person_key_of(query.email))
    if begin := begin_of(query.since, query.zone):
        found.append(Subscription.created_at >= begin)
    if end := end_of(query.until, query.zone):
        found.append(Subscription.created_at < end)
    return found
