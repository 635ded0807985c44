"""What people have beside their profile and their orders: subscriptions of the store, and the classes of the night.

Each is compared where its setting is on. Subscriptions that we know are read from the store again; which tags come of
them is told by all of a person's together, as the road does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from integration import streams
from integration.errors import AuthRejected, MappingError, NotSetUp, Rejected
from integration.events import Change, Kind, Origin
from integration.models.buyer_score import BuyerScore
from integration.models.connector import Connector
from integration.models.membership import among
from integration.models.recurring_order import RecurringEntry
from integration.pipeline.connectors import store_profile
from integration.pipeline.ingest import order_ledger, records
from integration.pipeline.runs import refusals
from integration.pipeline.services import Services
from integration.records import Score
from integration.settings import Modules
from integration.store import reading
from integration.store.by_id import pick
from integration.store.client import StoreClient
from integration.store.rows import Row
from integration.streams import recurring as recurring_stream, scores as scores_stream


@dataclass(frozen=True, slots=True)
class FurtherRecords:
    """Gathers the further records of people of one connector."""

    services: Services
    connector: Connector
    client: StoreClient
    origin: Origin

    @property
    def reads_store(self) -> bool:
        """Return whether the store is asked for any of them."""
        modules = self.services.modules(self.connector)
        return _is_on(recurring_stream.KIND, modules) and bool(store_profile.has_subscriptions(self.connector))

    def of(self, person_keys: Collection[str]) -> Sequence[Change]:
        """Return the subscriptions as the store has them now, and the classes as they were owed last.

        Raises ServiceError when the store as a whole does not answer.
        """
        modules = self.services.modules(self.connector)
        found: list[Change] = []
        if self.reads_store:
            found += self._subscriptions(person_keys)
        if _is_on(scores_stream.KIND, modules):
            found += self._scores(person_keys)
        return found

    def _subscriptions(self, person_keys: Collection[str]) -> list[Change]:
        mine = (RecurringEntry.connector_id == self.connector.id, among(RecurringEntry.person_key, sorted(person_keys)))
        query = select(RecurringEntry.recurring_id).where(*mine, RecurringEntry.status != order_ledger.GONE)
        with self.services.db.read() as session:
            ids = session.scalars(query.order_by(RecurringEntry.recurring_id)).all()
        changes = list(_readable(self._read(ids), self._change))
        if changes:
            with self.services.db.write() as session:
                records.note_recurring(session, self.services.clock.now(), self.connector.id, changes)
        return changes

    def _read(self, ids: Sequence[int]) -> list[Row]:
        """Return these subscriptions; a list that the store refuses, as without its plugin, tells of none."""
        params = {"_fields": reading.order_fields()}
        try:
            return [row for page in pick(self.client, "subscriptions", params, ids) for row in page.rows]
        except (AuthRejected, NotSetUp, Rejected) as error:
            if refusals.concerns_all(error):
                raise
            refusals.go_on_after(self.services, self.connector.id, error)
            return []

    def _change(self, row: Row) -> Change:
        return streams.of(recurring_stream.KIND).change(row, self.origin, self.services.clock.now())

    def _scores(self, person_keys: Collection[str]) -> list[Change]:
        mine = (BuyerScore.connector_id == self.connector.id, among(BuyerScore.person_key, sorted(person_keys)))
        with self.services.db.read() as session:
            rows = session.scalars(select(BuyerScore).where(*mine).order_by(BuyerScore.id)).all()
        return [
            scores_stream.change_of(
                Score(row.id, row.recency, row.frequency, row.monetary), row.person_key, row.scored_at
            )
            for row in rows
        ]


def _is_on(kind: Kind, modules: Modules) -> bool:
    return streams.of(kind).is_enabled(modules)


def _readable(rows: Sequence[Row], read: Callable[[Row], Change]) -> Iterator[Change]:
    for row in rows:
        try:
            yield read(row)
        except MappingError:
            # Its own delivery says what is wrong with it.
            continue
