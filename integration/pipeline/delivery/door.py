"""Tells at the door which records of a page have not changed, so that they need not go the whole road.

They are planned as a batch would plan them now, by the settings, fields and links of this moment, and compared with
what Mautic confirmed last. What comes to nothing is written as a batch would have settled it; whatever a batch would
ask one of the systems for, or look at twice, goes the road.

What came to nothing gets a stamp (stamps.py): where nothing has changed since, the next run knows the rows again as the
store gives them, and neither reads nor plans them.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import ServiceError
from integration.events import Change, Kind, Origin
from integration.mautic.answers import SERVICE
from integration.models.connector import Connector, ConnectorState
from integration.models.database import lock_connector
from integration.models.run import Run, RunKind
from integration.pipeline.connectors import field_list, holds
from integration.pipeline.delivery import (
    account_consents,
    batch_context,
    latest_order,
    order_categories,
    stamping,
    stamps,
    unsent,
    untold_people,
)
from integration.pipeline.delivery.acts import Act, Followed
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.batch_result import Sent
from integration.pipeline.delivery.follow_up_marks import Done, done_before, is_done
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery, of_change
from integration.pipeline.delivery.planning import PersonPlan, plan_group
from integration.pipeline.delivery.refresh import is_unsaid
from integration.pipeline.delivery.settlement import Settlement
from integration.pipeline.delivery.stamps import Page
from integration.pipeline.delivery.unsent import Settled
from integration.pipeline.services import Services
from integration.settings import Modules

#: After pages that were changed throughout so many are let through at most before another one is looked at.
PASSES_MAX = 32

log = logging.getLogger(__name__)

#: A change with its record where that was parsed before.
Sighting = tuple[Change, Any]


@dataclass
class Door:
    """Looks at the pages of one run; `settle` is what records.accept takes.

    Where a page has nothing unchanged more and more of the next ones are let through unseen, for planning twice costs.
    """

    services: Services
    run: Run
    _passes: int = field(default=0, init=False)
    _left: int = field(default=0, init=False)
    _is_asked: bool = field(default=False, init=False)

    def recognise(
        self, kind: Kind, origin: Origin, rows: Sequence[Mapping[str, Any]], read: Callable[[Any], Change]
    ) -> Page:
        """Return a page of history with what is known of its rows from the last time; `read` makes a row's change.

        What is to be sent again is not looked up, and nor is what is read for the first time; that gets stamps when it
        is sent (sent_stamps.py).
        """
        if self.run.is_dry or self.run.options.get("resend"):
            return Page(kind, origin, read=read)
        by_id = {str(row["id"]): row for row in rows}
        digests = {source_id: stamps.of_row(row) for source_id, row in by_id.items()}
        if self._reads_first:
            return Page(kind, origin, by_id, digests, read=read)
        with self.services.db.read() as session:
            found = stamps.known(session, self.run.connector_id, kind, digests)
        return Page(kind, origin, by_id, digests, found, read)

    @cached_property
    def _reads_first(self) -> bool:
        with self.services.db.read() as session:
            return _is_first(session.get_one(Connector, self.run.connector_id), self.run)

    def prepare(self) -> int:
        """Have the list of Mautic's fields read once, as the run's first batch would; return how many calls that took.

        Where Mautic does not tell, the door stays shut until a batch has had its list.
        """
        if self._is_asked:
            return 0
        now = self.services.clock.now()
        with self.services.db.read() as session:
            connector = session.get_one(Connector, self.run.connector_id)
            wanted = _may_open(session, connector, self.run)
        modules = self.services.modules(connector)
        if not wanted or field_list.is_recent(connector, modules, now, field_list.begun([self.run])):
            return 0
        self._is_asked = True
        client = self.services.open_mautic(connector, self.run.correlation_id, obeys=True)
        try:
            field_list.ensure_fields(self.services, connector, client, [self.run], modules)
        except ServiceError as error:
            log.info("Mautic's fields could not be read before run %d sends: %s", self.run.id, error)
        return client.calls

    def settle_known(self, session: Session, now: datetime, page: Page) -> set[str]:
        """Write those rows of a page settled whose stamps hold, and return their source ids."""
        if not page.stamps:
            return set()
        lock_connector(session, self.run.connector_id)
        connector = session.get_one(Connector, self.run.connector_id)
        if not self._is_open(session, now, connector, Modules.from_json(connector.settings)):
            return set()
        # Nothing is asked that the run's own row, changed before, could tell.
        with session.no_autoflush:
            found = stamping.held(session, connector, page)
            return _write_known(session, now, self.run, page, found) if found else set()

    def settle(
        self, session: Session, now: datetime, sighted: Sequence[Sighting], page: Page | None = None
    ) -> tuple[int, Sequence[Change]]:
        """Write those settled that a batch would find unchanged; return how many they are, and the others.

        Those that are rows of the `page` get stamps.
        """
        changes = [change for change, _ in sighted]
        if self._left:
            self._left -= 1
            return 0, changes
        # As it is now: settings may have been changed since the run began.
        connector = session.get_one(Connector, self.run.connector_id)
        modules = Modules.from_json(connector.settings)
        if not self._is_open(session, now, connector, modules):
            return 0, changes
        told = _told(session, now, self.run, connector, modules, sighted)
        if told.context is not None:
            written = _write(session, now, self.run, told)
            if page is not None and page.digests:
                stamping.give(session, told.context, page, told.planned, written)
        self._passes = 0 if told.changes or not changes else min(2 * self._passes + 1, PASSES_MAX)
        self._left = self._passes
        done = {id(change) for change in told.changes.values()}
        return len(done), [change for change in changes if id(change) not in done]

    def _is_open(self, session: Session, now: datetime, connector: Connector, modules: Modules) -> bool:
        may_open = _may_open(session, connector, self.run)
        return may_open and field_list.is_recent(connector, modules, now, field_list.begun([self.run]))


@dataclass(frozen=True, slots=True)
class _Told:
    """People of whose records nothing is to be sent; `changes` by the number that stands for each in the plans."""

    changes: Mapping[int, Change] = field(default_factory=dict)
    planned: Sequence[PersonPlan] = ()
    context: BatchContext | None = None


def _told(
    session: Session, now: datetime, run: Run, connector: Connector, modules: Modules, sighted: Sequence[Sighting]
) -> _Told:
    changes = [change for change, _ in sighted]
    people = untold_people.among(session, connector.id, changes)
    numbered = {-1 - place: one for place, one in enumerate(sighted) if one[0].ordering_key in people}
    groups = _groups(numbered, run.id)
    if not groups:
        return _Told()
    resend = frozenset({run.id}) if run.options.get("resend") else frozenset[int]()
    context = batch_context.lay(session, connector, people, resend, modules)
    idle = [one for one in _planned(session, now, context, groups) if _is_idle(one)]
    done = done_before(session, connector.id, [act for one in idle for p in one.plans.values() for act in p.follow_ups])
    idle = [one for one in idle if _is_followed(one, done)]
    told = {leased.id: numbered[leased.id][0] for one in idle for leased in one.group.deliveries}
    return _Told(told, idle, context) if told else _Told()


def _planned(
    session: Session, now: datetime, context: BatchContext, groups: Sequence[DeliveryGroup]
) -> list[PersonPlan]:
    """Return the plans of those that can be planned by what is known here."""
    asking = order_categories.untold(session, now, context, groups)
    context = order_categories.laid(session, context, groups)
    return [plan_group(each, context) for each in groups if not (each.person_key in asking or _asks(each, context))]


def _may_open(session: Session, connector: Connector, run: Run) -> bool:
    """Tell whether a batch of the run would be claimed now; in a first import there is nothing to be unchanged."""
    if _is_first(connector, run) or not connector.mautic_url or connector.state == ConnectorState.READ_ONLY:
        return False
    return holds.current(session, connector.id, SERVICE) is None


def _is_first(connector: Connector, run: Run) -> bool:
    return run.kind == RunKind.INITIAL and connector.initial_done_at is None


def _groups(numbered: Mapping[int, Sighting], run_id: int) -> list[DeliveryGroup]:
    people: dict[str, list[LeasedDelivery]] = {}
    for number, (change, record) in numbered.items():
        people.setdefault(change.ordering_key, []).append(of_change(number, change, run_id, record))
    return [DeliveryGroup(person_key, tuple(items)) for person_key, items in people.items()]


# -- what would become of them ----------------------------------------------------------------------------------------


def _asks(group: DeliveryGroup, context: BatchContext) -> bool:
    """Tell whether a batch would ask the store about the group, or the person is not simply who they were."""
    known = context.consents.get(group.person_key, ())
    return (
        group.person_key in context.blocked
        or group.person_key in context.moved
        or any(is_unsaid(leased, context.modules.consent) for leased in group.deliveries)
        or any(account_consents.buyers_to_ask(group, context.modules, known))
        or bool(latest_order.needed([group], context))
    )


def _is_idle(planned: PersonPlan) -> bool:
    """Tell whether nothing of a person is to be written, neither in Mautic nor in what we keep of them."""
    same = planned.unchanged and planned.link is not None and not planned.forced
    nothing = not planned.plans and planned.write is None
    return (same or nothing) and not (planned.errors or planned.consents or planned.conflicts or planned.lost)


def _is_followed(planned: PersonPlan, done: set[Done]) -> bool:
    contact_id = planned.link.contact_id if planned.link else 0
    return all(is_done(act, contact_id, done) for plan in planned.plans.values() for act in plan.follow_ups)


# -- how it is written ------------------------------------------------------------------------------------------------


def _write(session: Session, now: datetime, run: Run, told: _Told) -> dict[str, Settled]:
    """Write what a batch would have written of them and return it by source id."""
    settled = unsent.write(session, now, run, told.changes, _settlement(now, run, _sent(told)).of_sent())
    return {change.source_id: (change, outcome) for change, outcome in settled}


def _write_known(session: Session, now: datetime, run: Run, page: Page, ids: Sequence[str]) -> set[str]:
    """Write of records whose stamps hold what was written of them before, and return whose stamps are there still."""
    each = stamping.change_of_all(page, now)
    result = _settlement(now, run).of_known(of_change(-1, each, run.id))
    return unsent.write_known(session, now, run, each, result, ids)


def _settlement(now: datetime, run: Run, sent: Sent | None = None) -> Settlement:
    return Settlement(now, run.connector_id, "", random.Random(), run.correlation_id, sent=sent or Sent())


def _sent(told: _Told) -> Sent:
    acts = (
        Act(leased, one.link.contact_id, follow_up)
        for one in told.planned
        if one.link is not None
        for leased in one.pending
        for follow_up in one.plans[leased.id].follow_ups
    )
    return Sent(told.planned, followed=[Followed(act, repeated=True) for act in acts])
