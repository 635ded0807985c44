"""Dead letters: sent again, discarded, corrected; a replay that was cancelled loses none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.events import Kind, Origin
from integration.identity import person_key_of
from integration.models.delivery import Delivery
from integration.pipeline import outbox
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, progress as run_progress
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline.conftest import MakeChange, accept, claim, settle
from tests.pipeline.dead_letters import kill, requeue, row


def test_a_dead_letter_keeps_when_it_died_and_what_kind_of_failure_it_was(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1))
    dead = row(services, kill(services, connector_id)[0])
    assert (dead.died_at, dead.category, dead.error) == (NOON, "permanent", "No.")
    assert dead.payload is not None


def test_requeue_says_what_was_queued_and_what_was_not(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1), change(2, "bob@example.com"))
    first, second = kill(services, connector_id)
    accept(services, connector_id, change(2, "bob@example.com"))
    assert requeue(services, connector_id, [first, second, 999]) == outbox.Requeued(queued=1, busy=1, gone=1)
    assert row(services, first).replayed_at == NOON
    assert row(services, second).state == "dead"


def test_two_failures_of_one_change_are_one_letter_and_sent_once(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1))
    (first,) = kill(services, connector_id)
    accept(services, connector_id, change(1))
    (second,) = kill(services, connector_id)
    assert requeue(services, connector_id, [first, second]) == outbox.Requeued(queued=1, gone=1)
    assert [row(services, key).state for key in (first, second)] == ["closed", "ready"]


def test_a_cancelled_replay_gives_its_dead_letters_back(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1))
    (dead,) = kill(services, connector_id)
    run_id = run_lifecycle.start(services, connector_id, "replay", trigger="test")
    requeue(services, connector_id, [dead], run_id)
    cancelling.cancel(services, run_id)
    again = row(services, dead)
    assert (again.state, again.error) == ("dead", "No.")
    assert again.payload is not None


def test_a_discarded_letter_keeps_its_reason_and_no_payload(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1))
    (dead,) = kill(services, connector_id)
    with services.db.write() as session:
        assert outbox.bury(session, services.clock.now(), connector_id, [dead, 999], "A test order.") == 1
    gone = row(services, dead)
    assert (gone.state, gone.discard_reason, gone.payload) == ("discarded", "A test order.", None)


def test_a_corrected_letter_goes_out_with_the_persons_values(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1, "ada(at)example.com"))
    (dead,) = kill(services, connector_id)
    with services.db.write() as session:
        outbox.correct(session, dead, {"billing.email": "ada@example.com"}, person_key_of("ada@example.com"))
    requeue(services, connector_id, [dead])
    (group,) = claim(services, connector_id)
    assert group.person_key == person_key_of("ada@example.com")
    assert group.deliveries[0].payload["billing"] == {"email": "ada@example.com"}


def test_a_replay_goes_beside_another_run_but_not_beside_a_replay(services: Services, connector_id: int) -> None:
    full = run_lifecycle.start(services, connector_id, "full", trigger="test")
    replay = run_lifecycle.start(services, connector_id, "replay", trigger="test")
    with pytest.raises(run_lifecycle.RunGoing) as going:
        run_lifecycle.start(services, connector_id, "replay", trigger="test")
    assert going.value.run_id == replay != full


def snapshot(services: Services, connector_id: int) -> Delivery:
    with services.db.read() as session:
        query = select(Delivery).where(Delivery.connector_id == connector_id, Delivery.kind == Kind.CONTACT)
        return session.scalars(query).one()


def test_an_older_snapshot_does_not_replace_a_newer_one(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(5, kind=Kind.CONTACT, event="updated", minutes=10, city="new"))
    accept(services, connector_id, change(5, kind=Kind.CONTACT, event="updated", minutes=0, city="old"))
    waiting = snapshot(services, connector_id)
    assert waiting.payload is not None
    assert waiting.payload["city"] == "new"


def test_a_live_snapshot_hastens_the_import_row_it_joins(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(5, kind=Kind.CONTACT, event="updated", origin=Origin.INITIAL))
    assert snapshot(services, connector_id).priority == 2
    accept(services, connector_id, change(5, kind=Kind.CONTACT, event="updated", minutes=1))
    assert snapshot(services, connector_id).priority == 0


def test_what_is_tried_again_later_keeps_no_run_busy(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "bulk", trigger="test")
    accept(services, connector_id, change(1), change(2), run_id=run_id)
    token = new_token()
    (group,) = claim(services, connector_id, 50, token)
    later = [Outcome(i.id, None, error_code="http_500", wait=timedelta(minutes=5), faults=1) for i in group.deliveries]
    settle(services, connector_id, token, *later)
    with services.db.read() as session:
        assert outbox.busy_count(session, clock.now(), run_id) == 0
        assert run_progress.progress(session, run_id, clock.now()).later == 2
    clock.advance(minutes=6)
    with services.db.read() as session:
        assert outbox.busy_count(session, clock.now(), run_id) == 2
