"""The counts of records: after any road they say what counting the rows would say."""

from __future__ import annotations

import random

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.counts import RecordCount
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.models.run import Run
from integration.models.run import RunState
from integration.pipeline import outbox
from integration.pipeline import runs
from integration.pipeline.leases import new_token
from integration.pipeline.lines import Outcome
from integration.pipeline.outbox.tally import state_of
from integration.pipeline.ports import Ports
from tests.pipeline.conftest import MakeChange
from tests.pipeline.test_outbox import accept
from tests.pipeline.test_outbox import claim
from tests.pipeline.test_outbox import settle

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


def assert_agreed(ports: Ports) -> None:
    with ports.db.read() as session:
        assert counted(session) == there(session)


ENDS = (
    (DeliveryState.DELIVERED, "created", False),
    (DeliveryState.DELIVERED, "updated", True),
    (DeliveryState.SKIPPED, "skipped", False),
    (DeliveryState.DEAD, "", False),
    (DeliveryState.CONFLICT, "skipped", False),
    (None, "", False),
)


def test_the_counts_agree_with_the_rows_after_any_road(ports: Ports, connector_id: int, change: MakeChange) -> None:
    chance = random.Random(5)
    for step in range(12):
        accept(ports, connector_id, *(change(step * 10 + n, f"p{chance.randrange(9)}@example.com") for n in range(4)))
        token = new_token()
        items = [item for line in claim(ports, connector_id, 5, token) for item in line.items]
        ends = [chance.choice(ENDS) for _ in items]
        made = zip(items, ends, strict=True)
        outcomes = [Outcome(i.id, state, result, 7, partial, "refused") for i, (state, result, partial) in made]
        settle(ports, connector_id, token, *outcomes)
        assert_agreed(ports)
        with ports.db.write() as session:
            dead = list(session.scalars(select(Delivery.id).where(Delivery.state == DeliveryState.DEAD)))
            outbox.requeue(session, ports.clock.now(), connector_id, dead[:1])
            outbox.bury(session, ports.clock.now(), connector_id, dead[1:2], "tested")
        assert_agreed(ports)


def test_the_counts_agree_after_a_run_was_cancelled(ports: Ports, connector_id: int, change: MakeChange) -> None:
    run_id = runs.start(ports, connector_id, "bulk", trigger="test")
    accept(ports, connector_id, change(1), change(2), change(3, "bob@example.com"), run_id=run_id)
    runs.cancel(ports, run_id)
    assert_agreed(ports)
    with ports.db.read() as session:
        assert session.get_one(Run, run_id).state == RunState.CANCELLED
        assert counted(session) == {("order", "discarded", ""): 3}
