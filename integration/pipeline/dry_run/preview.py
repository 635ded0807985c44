"""The first records of an import exactly as they would be sent, and what all of it would cost (P19); nothing is sent.

It reads one page of the store and plans it as a run would. Values that are summed over a person's orders come from the
ledger as it is now: before the first import they are those of the orders that are known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integration import streams
from integration.events import Change, Origin
from integration.models.connector import Connector
from integration.pipeline.connectors import field_list, store_profile
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.dry_run import forecast
from integration.pipeline.runs import options as run_options
from integration.pipeline.services import Services
from integration.plans import ContactWrite, FollowUp, Note, SegmentAdd, SegmentRemove, SendEmail
from integration.store import parse, reading
from integration.store.client import StoreClient
from integration.store.pages import SIZES, Page
from integration.store.windows import Window

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Person:
    """One contact as it would be written, None for none; `skips` and `errors` are of single records, in words.

    `exists` says that Mautic has the contact already, `unchanged` that it has these values too.
    """

    records: Sequence[str]
    write: ContactWrite | None
    exists: bool
    unchanged: bool
    follow_ups: Sequence[FollowUp]
    skips: Sequence[str]
    errors: Sequence[str]
    adjusted: Sequence[str]


@dataclass(frozen=True, slots=True)
class Preview:
    """The first people, how many records there are in all, and what they would cost.

    `total` is None where the store does not tell, and then calls and seconds are too; `seconds` also before any run.
    """

    people: Sequence[Person]
    total: int | None
    calls: int | None
    store_calls: int | None
    seconds: int | None
    unread: Sequence[str]


def of(services: Services, connector: Connector, module: str, options: Mapping[str, Any]) -> Preview:
    """Return the preview of "contacts" or "orders", within `since` and `until` of a run's options.

    Raises ServiceError when the store does not give the page, or Mautic the list of fields that was never read.
    """
    connector = store_profile.refresh(services, connector)
    if connector.fields_at is None and connector.mautic_url:
        connector = field_list.look(services, connector)
    page, changes = _read(services, connector, module, options)
    with services.db.read() as session:
        planned = forecast.planned(session, services.clock.now(), connector, changes)
        done = forecast.done(session, connector.id, planned)
        people = [_person(one, [act for _, act in forecast.still_open(one, done)]) for one in planned]
        per_record = forecast.seconds_a_record(session, connector.id)
        batch = services.modules(connector).sync.batch_start
    unread = [f"{what}: {error}" for what, error in page.failed]
    return _costed(people, len(changes), page.total, batch, per_record, unread)


def _costed(
    people: Sequence[Person], read: int, total: int | None, batch: int, per_record: float | None, unread: Sequence[str]
) -> Preview:
    """Return the preview with what all of it would cost if the rest is like the first records."""
    if total is None:
        return Preview(people, None, None, None, None, unread)
    share = total / read if read else 0.0
    writes = sum(one.write is not None and not one.unchanged for one in people)
    kinds = [Note, SegmentAdd, SegmentRemove]
    counts = [writes, *(sum(isinstance(act, kind) for one in people for act in one.follow_ups) for kind in kinds)]
    emails = sum(isinstance(act, SendEmail) for one in people for act in one.follow_ups)
    calls = sum(math.ceil(number * share / batch) for number in counts) + math.ceil(emails * share)
    seconds = None if per_record is None else round(per_record * writes * share)
    return Preview(people, total, calls, math.ceil(total / SIZES[0]), seconds, unread)


def _read(
    services: Services, connector: Connector, module: str, options: Mapping[str, Any]
) -> tuple[Page, list[Change]]:
    client, now = services.open_store(connector), services.clock.now()
    if module == "contacts":
        page = _first(client, services, connector, None)
        return page, [parse.customer_change(row, Origin.BULK, now, created=False) for row in page.rows]
    page = _first(client, services, connector, Window(*run_options.bounds(options)))
    return page, [parse.order_change(row, Origin.BULK, now) for row in page.rows]


def _first(client: StoreClient, services: Services, connector: Connector, window: Window | None) -> Page:
    """Return the first page of customers, or of the orders in a window that have one of the statuses that are set."""
    if window is None:
        pages = reading.read_customers(client, per_page=SHOWN, parallel=1)
    else:
        known = store_profile.statuses(connector)
        chosen = [each for each in services.modules(connector).orders.statuses if each in known]
        if not chosen:
            return Page([], 1, 0, 0, SHOWN, None)
        pages = reading.read_orders(client, statuses=chosen, window=window, per_page=SHOWN, parallel=1)
    return next(pages)


def _person(planned: PersonPlan, follow_ups: Sequence[FollowUp]) -> Person:
    names = {
        leased.id: f"{streams.labels(leased.kind).noun} {leased.number or leased.source_id}"
        for leased in planned.group.deliveries
    }
    return Person(
        records=list(names.values()),
        write=planned.write,
        exists=planned.link is not None,
        unchanged=planned.unchanged,
        follow_ups=follow_ups,
        skips=[f"{names[key]}: {skip.sentence}" for key, skip in planned.skips.items()],
        errors=[f"{names[key]}: {error}" for key, error in planned.errors.items()],
        adjusted=[each.sentence for each in planned.adjustments],
    )
