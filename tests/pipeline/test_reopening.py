"""Dead letters: sent again, discarded, corrected; a replay that was cancelled loses none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.events import Kind
from integration.events import Origin
from integration.events import subject_of
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.pipeline import outbox
from integration.pipeline import runs
from integration.pipeline.leases import new_token
from integration.pipeline.lines import Outcome
from integration.pipeline.ports import Ports
from tests.conftest import NOON
from tests.pipeline.conftest import MakeChange
from tests.pipeline.test_outbox import accept
from tests.pipeline.test_outbox import claim
from tests.pipeline.test_outbox import settle


def kill(ports: Ports, connector_id: int) -> list[int]:
    """Let everything that is ready become a dead letter; return the ids."""
    token = new_token()
    items = [item for line in claim(ports, connector_id, 50, token) for item in line.items]
    ends = [Outcome(i.id, DeliveryState.DEAD, error_code="refused", message="No.", category="permanent") for i in items]
    settle(ports, connector_id, token, *ends)
    return [item.id for item in items]


def row(ports: Ports, delivery_id: int) -> Delivery:
    with ports.db.read() as session:
        return session.get_one(Delivery, delivery_id)


def requeue(ports: Ports, connector_id: int, ids: list[int], run_id: int | None = None) -> outbox.Requeued:
    with ports.db.write() as session:
        return outbox.requeue(session, ports.clock.now(), connector_id, ids, run_id)


def test_a_dead_letter_keeps_when_it_died_and_what_kind_of_failure_it_was(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1))
    dead = row(ports, kill(ports, connector_id)[0])
    assert (dead.died_at, dead.category, dead.error) == (NOON, "permanent", "No.")
    assert dead.payload is not None


def test_requeue_says_what_was_queued_and_what_was_not(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(1), change(2, "bob@example.com"))
    first, second = kill(ports, connector_id)
    accept(ports, connector_id, change(2, "bob@example.com"))
    assert requeue(ports, connector_id, [first, second, 999]) == outbox.Requeued(queued=1, busy=1, gone=1)
    assert row(ports, first).replayed_at == NOON
    assert row(ports, second).state == "dead"


def test_two_failures_of_one_change_are_one_letter_and_sent_once(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1))
    (first,) = kill(ports, connector_id)
    accept(ports, connector_id, change(1))
    (second,) = kill(ports, connector_id)
    assert requeue(ports, connector_id, [first, second]) == outbox.Requeued(queued=1, gone=1)
    assert [row(ports, key).state for key in (first, second)] == ["closed", "ready"]


def test_a_cancelled_replay_gives_its_dead_letters_back(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(1))
    (dead,) = kill(ports, connector_id)
    run_id = runs.start(ports, connector_id, "replay", trigger="test")
    requeue(ports, connector_id, [dead], run_id)
    runs.cancel(ports, run_id)
    again = row(ports, dead)
    assert (again.state, again.error) == ("dead", "No.")
    assert again.payload is not None


def test_a_discarded_letter_keeps_its_reason_and_no_payload(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1))
    (dead,) = kill(ports, connector_id)
    with ports.db.write() as session:
        assert outbox.bury(session, ports.clock.now(), connector_id, [dead, 999], "A test order.") == 1
    gone = row(ports, dead)
    assert (gone.state, gone.discard_reason, gone.payload) == ("discarded", "A test order.", None)


def test_a_corrected_letter_goes_out_with_the_persons_values(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1, "ada(at)example.com"))
    (dead,) = kill(ports, connector_id)
    with ports.db.write() as session:
        outbox.correct(session, dead, {"billing.email": "ada@example.com"}, subject_of("ada@example.com"))
    requeue(ports, connector_id, [dead])
    (line,) = claim(ports, connector_id)
    assert line.subject == subject_of("ada@example.com")
    assert line.items[0].payload["billing"] == {"email": "ada@example.com"}


def test_a_replay_goes_beside_another_run_but_not_beside_a_replay(ports: Ports, connector_id: int) -> None:
    full = runs.start(ports, connector_id, "full", trigger="test")
    replay = runs.start(ports, connector_id, "replay", trigger="test")
    with pytest.raises(runs.RunGoing) as going:
        runs.start(ports, connector_id, "replay", trigger="test")
    assert going.value.run_id == replay != full


def snapshot(ports: Ports, connector_id: int) -> Delivery:
    with ports.db.read() as session:
        query = select(Delivery).where(Delivery.connector_id == connector_id, Delivery.kind == Kind.CONTACT)
        return session.scalars(query).one()


def test_an_older_snapshot_does_not_replace_a_newer_one(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(5, kind=Kind.CONTACT, what="updated", minutes=10, city="new"))
    accept(ports, connector_id, change(5, kind=Kind.CONTACT, what="updated", minutes=0, city="old"))
    waiting = snapshot(ports, connector_id)
    assert waiting.payload is not None
    assert waiting.payload["city"] == "new"


def test_a_live_snapshot_hastens_the_import_row_it_joins(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(5, kind=Kind.CONTACT, what="updated", origin=Origin.INITIAL))
    assert snapshot(ports, connector_id).priority == 2
    accept(ports, connector_id, change(5, kind=Kind.CONTACT, what="updated", minutes=1))
    assert snapshot(ports, connector_id).priority == 0


def test_what_is_tried_again_later_keeps_no_run_busy(
    ports: Ports, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    run_id = runs.start(ports, connector_id, "bulk", trigger="test")
    accept(ports, connector_id, change(1), change(2), run_id=run_id)
    token = new_token()
    (line,) = claim(ports, connector_id, 50, token)
    later = [Outcome(i.id, None, error_code="http_500", wait=timedelta(minutes=5), faults=1) for i in line.items]
    settle(ports, connector_id, token, *later)
    with ports.db.read() as session:
        assert outbox.busy_count(session, clock.now(), run_id) == 0
        assert runs.progress(session, run_id, clock.now()).later == 2
    clock.advance(minutes=6)
    with ports.db.read() as session:
        assert outbox.busy_count(session, clock.now(), run_id) == 2
