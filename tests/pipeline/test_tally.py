"""The counts of records: after any road they say what counting the rows would say."""

from __future__ import annotations

import random

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.events import Origin
from integration.models.counts import RecordCount
from integration.models.delivery import Delivery, DeliveryState
from integration.models.run import Run, RunState
from integration.pipeline import outbox
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox.tally import state_of
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange, accept, claim, settle

Counted = dict[tuple[str, str, str], int]


def counted(session: Session) -> Counted:
    """What the counts say, by kind, state and result."""
    names = (RecordCount.kind, RecordCount.state, RecordCount.result)
    rows = session.execute(select(*names, func.sum(RecordCount.records)).group_by(*names))
    return {(kind, state, result): number for kind, state, result, number in rows if number}


def there(session: Session) -> Counted:
    """What the rows say."""
    found: Counted = {}
    for row in session.scalars(select(Delivery)):
        state = state_of(row.state, row.partial)
        place = (row.kind, state, "" if state == "open" else row.result)
        found[place] = found.get(place, 0) + 1
    return found


def assert_agreed(services: Services) -> None:
    with services.db.read() as session:
        assert counted(session) == there(session)


ENDS = (
    (DeliveryState.DELIVERED, "created", False),
    (DeliveryState.DELIVERED, "updated", True),
    (DeliveryState.SKIPPED, "skipped", False),
    (DeliveryState.DEAD, "", False),
    (DeliveryState.CONFLICT, "skipped", False),
    (None, "", False),
)


def test_the_counts_agree_with_the_rows_after_any_road(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    chance = random.Random(5)
    for step in range(12):
        accept(
            services, connector_id, *(change(step * 10 + n, f"p{chance.randrange(9)}@example.com") for n in range(4))
        )
        token = new_token()
        deliveries = [leased for group in claim(services, connector_id, 5, token) for leased in group.deliveries]
        ends = [chance.choice(ENDS) for _ in deliveries]
        made = zip(deliveries, ends, strict=True)
        outcomes = [Outcome(i.id, state, result, 7, partial, "refused") for i, (state, result, partial) in made]
        settle(services, connector_id, token, *outcomes)
        assert_agreed(services)
        with services.db.write() as session:
            dead = list(session.scalars(select(Delivery.id).where(Delivery.state == DeliveryState.DEAD)))
            outbox.requeue(session, services.clock.now(), connector_id, dead[:1])
            outbox.bury(session, services.clock.now(), connector_id, dead[1:2], "tested")
        assert_agreed(services)


def test_the_counts_agree_after_a_run_was_cancelled(services: Services, connector_id: int, change: MakeChange) -> None:
    run_id = run_lifecycle.start(services, connector_id, "bulk", trigger="test")
    changes = [
        change(number, email, origin=Origin.BULK)
        for number, email in ((1, "ada@example.com"), (2, "ada@example.com"), (3, "bob@example.com"))
    ]
    accept(services, connector_id, *changes, run_id=run_id)
    cancelling.cancel(services, run_id)
    assert_agreed(services)
    with services.db.read() as session:
        assert session.get_one(Run, run_id).state == RunState.CANCELLED
        assert counted(session) == {("order", "discarded", ""): 3}
