"""What a cancelled run has waiting is given up some at a time, and owed again so when the run goes on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, text, update

from integration.engines import schedule
from integration.errors import IntegrationError
from integration.events import Origin
from integration.models import Delivery, Run, RunLine, database
from integration.models.run import RunKind, RunState
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox import cancelled_runs
from integration.pipeline.runs import giving_up, lifecycle, resumption
from integration.pipeline.services import Services
from integration.queries.runs import badge
from tests.pipeline.conftest import MakeChange, accept, claim, killed, states
from tests.waiting import wait_for

PEOPLE, ORDERS = 5, 3


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_up, "PART", 2)
    monkeypatch.setattr(cancelled_runs, "_PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(database, "PART_PAUSE_S", 0.0)


@pytest.fixture
def run_id(services: Services, connector_id: int, change: MakeChange) -> int:
    """A run that a process works on, with three orders of each of five people waiting, one person after the other."""
    run_id = lifecycle.start(services, connector_id, RunKind.FULL, trigger="test")
    with services.db.write() as session:
        assert lifecycle.take(session, services.clock.now(), new_token()) is not None
    theirs = [(10 * order + person, f"p{person}@example.com") for order in range(ORDERS) for person in range(PEOPLE)]
    accept(services, connector_id, *(change(*each, origin=Origin.FULL) for each in theirs), run_id=run_id)
    with services.db.write() as session:
        # As if more of all of them were to come.
        session.execute(update(Delivery).values(state="waiting"))
    return run_id


def read(services: Services, run_id: int) -> Run:
    with services.db.read() as session:
        return session.get_one(Run, run_id)


def ask(services: Services, run_id: int) -> None:
    assert lifecycle.cancel(services, run_id)


def end(services: Services, run_id: int) -> Run:
    """Do what the process of the run does when it meets that it was cancelled."""
    giving_up.by_parts(services.db, services.clock, run_id)
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        lifecycle.finish(session, services.clock.now(), run, RunState.CANCELLED)
    return read(services, run_id)


def go_on(services: Services, run_id: int) -> None:
    assert resumption.resume(services, run_id) == run_id
    with services.db.write() as session:
        assert lifecycle.take(session, services.clock.now(), new_token()) is not None


def owe_again(services: Services, run_id: int, parts: int = 100) -> None:
    """Do so many parts of what the process of a run that goes on begins with."""
    while parts and giving_up.GIVEN_UP in read(services, run_id).cursor:
        with services.db.write() as session:
            giving_up.take_back(session, services.clock.now(), session.get_one(Run, run_id))
        parts -= 1


def test_each_part_is_all_of_some_people_and_nobody_is_sent_between(
    services: Services, connector_id: int, run_id: int
) -> None:
    ask(services, run_id)
    parts = []
    while True:
        with services.db.write() as session:
            parts.append(giving_up.give_up(session, services.clock.now(), session.get_one(Run, run_id), most=2))
        assert claim(services, connector_id) == []
        if not parts[-1]:
            break
    assert len(parts) > 2
    assert sum(parts) == PEOPLE * ORDERS
    assert all(part in (0, ORDERS, 2 * ORDERS) for part in parts)
    ended = end(services, run_id)
    assert (ended.state, ended.skipped, ended.cursor) == ("CANCELLED", 15, {giving_up.GIVEN_UP: 15})
    with services.db.read() as session:
        told = session.scalars(select(RunLine.text).order_by(RunLine.id.desc())).first()
    assert told == "Cancelled; 15 waiting records were not sent. What was sent stays."


def test_what_was_given_up_is_owed_again_and_counted_once(services: Services, connector_id: int, run_id: int) -> None:
    ask(services, run_id)
    end(services, run_id)
    go_on(services, run_id)
    owe_again(services, run_id)
    run = read(services, run_id)
    assert (run.skipped, run.already, run.cursor) == (0, 0, {})
    assert sorted(set(states(services))) == ["ready", "waiting"]
    assert sum(len(group.deliveries) for group in claim(services, connector_id)) == PEOPLE * ORDERS


def test_a_process_that_dies_between_leaves_the_rest_to_the_sweep(services: Services, run_id: int) -> None:
    ask(services, run_id)
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        assert giving_up.give_up(session, services.clock.now(), run, most=2) > 0
        run.lease_token = killed()
    schedule.sweep(services)
    ended = read(services, run_id)
    assert (ended.state, ended.skipped, ended.cursor) == ("CANCELLED", 15, {giving_up.GIVEN_UP: 15})
    assert set(states(services)) == {"discarded"}


def test_nothing_is_given_up_of_a_run_that_nobody_cancelled(services: Services, run_id: int) -> None:
    giving_up.by_parts(services.db, services.clock, run_id)
    giving_up.by_parts(services.db, services.clock, run_id + 1)
    assert set(states(services)) == {"waiting"}


def rest(services: Services, run_id: int) -> None:
    with services.db.write() as session:
        lifecycle.rest(session, services.clock.now(), session.get_one(Run, run_id))


def give_back(services: Services, run_id: int) -> None:
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        assert lifecycle.give_back(session, run, run.lease_token or "")


@pytest.mark.parametrize("leave", [rest, give_back])
def test_a_run_that_nobody_works_on_is_cancelled_at_once(
    services: Services, run_id: int, monkeypatch: pytest.MonkeyPatch, leave: Callable[[Services, int], None]
) -> None:
    monkeypatch.setattr(giving_up, "PART", 15)
    leave(services, run_id)
    ask(services, run_id)
    assert (read(services, run_id).state, set(states(services))) == ("CANCELLED", {"discarded"})


@pytest.mark.parametrize("leave", [rest, give_back])
def test_where_very_much_waits_a_worker_does_it(
    services: Services, run_id: int, leave: Callable[[Services, int], None]
) -> None:
    leave(services, run_id)
    ask(services, run_id)
    waits = read(services, run_id)
    assert (waits.ended_at, badge(waits)) == (None, ("Being cancelled", "warn"))
    assert "discarded" not in states(services)
    with services.db.write() as session:
        assert lifecycle.take(session, services.clock.now(), new_token()) is not None
    assert (end(services, run_id).state, set(states(services))) == ("CANCELLED", {"discarded"})


def test_beside_another_run_no_worker_can_so_it_is_done_at_once(services: Services, run_id: int) -> None:
    rest(services, run_id)
    lifecycle.start(services, read(services, run_id).connector_id, RunKind.INCREMENTAL, trigger="schedule")
    ask(services, run_id)
    assert (read(services, run_id).state, set(states(services))) == ("CANCELLED", {"discarded"})


def test_a_run_that_is_being_cancelled_is_not_paused(services: Services, run_id: int) -> None:
    give_back(services, run_id)
    ask(services, run_id)
    assert not lifecycle.pause(services, run_id)


def test_a_run_that_was_given_back_is_paused_at_once(services: Services, run_id: int) -> None:
    give_back(services, run_id)
    assert lifecycle.pause(services, run_id)
    assert read(services, run_id).state == "PAUSED"


def test_a_paused_run_whose_cancelling_broke_off_loses_nothing(
    services: Services, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(services, run_id)
    other = lifecycle.start(services, read(services, run_id).connector_id, RunKind.INCREMENTAL, trigger="schedule")
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "finish", lambda *said: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            lifecycle.cancel(services, run_id)
    assert (read(services, run_id).state, set(states(services))) == ("PAUSED", {"discarded"})
    assert lifecycle.cancel(services, other)
    go_on(services, run_id)
    owe_again(services, run_id)
    assert sorted(set(states(services))) == ["ready", "waiting"]
    assert read(services, run_id).skipped == 0


def test_a_paused_run_that_is_begun_again_has_ended(services: Services, run_id: int) -> None:
    ask(services, run_id)
    end(services, run_id)
    go_on(services, run_id)
    owe_again(services, run_id, parts=2)
    rest(services, run_id)
    with services.db.write() as session:
        session.execute(delete(Delivery).where(Delivery.state == "discarded"))
    assert resumption.resume(services, run_id) == run_id + 1
    ended = read(services, run_id)
    assert (ended.state, ended.error_code, ended.ended_at) == ("FAILED", giving_up.GONE.code, services.clock.now())


def test_a_claim_at_that_moment_does_not_end_the_parts(services: Services, connector_id: int, run_id: int) -> None:
    """On PostgreSQL what waits for a lane's claim finds one person less than it looked for."""
    with services.db.write() as session:
        outbox.let_go(session, connector_id, run_id)
    ask(services, run_id)
    giving = threading.Thread(target=giving_up.by_parts, args=(services.db, services.clock, run_id))
    with services.db.write() as session:
        outbox.claim(session, services.clock.now(), connector_id, 1, new_token())
        giving.start()
        wait_for(lambda: services.db.sqlite or _waits_for_a_lock(services), "the parts to wait for the claim")
    giving.join(20)
    assert Counter(states(services)) == {"discarded": 12, "leased": 1, "waiting": 2}


def _waits_for_a_lock(services: Services) -> bool:
    with services.db.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")))


def test_a_part_is_of_few_people_where_they_have_many_records(
    services: Services, connector_id: int, change: MakeChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_up, "PART", 10)
    run_id = lifecycle.start(services, connector_id, RunKind.FULL, trigger="test")
    theirs = [(100 * person + order, f"p{person}@example.com") for order in range(8) for person in range(12)]
    accept(services, connector_id, *(change(*each, origin=Origin.FULL) for each in theirs), run_id=run_id)
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        assert giving_up.give_up(session, services.clock.now(), run, most=10) == 16
        run.cancel_asked_at = services.clock.now()
    end(services, run_id)
    go_on(services, run_id)
    with services.db.write() as session:
        assert giving_up.take_back(session, services.clock.now(), session.get_one(Run, run_id))
    assert Counter(states(services))["discarded"] == 80
    [first, second] = claim(services, connector_id)
    assert (len(first.deliveries), len(second.deliveries)) == (8, 8)


@pytest.mark.parametrize("ending", ["cancelled", "failed"])
def test_a_run_that_ends_while_it_owes_again_goes_on_with_the_rest(
    services: Services, run_id: int, ending: str
) -> None:
    ask(services, run_id)
    end(services, run_id)
    go_on(services, run_id)
    owe_again(services, run_id, parts=2)
    assert read(services, run_id).cursor == {giving_up.GIVEN_UP: 9}
    if ending == "cancelled":
        ask(services, run_id)
        ended = end(services, run_id)
        assert (ended.skipped, ended.cursor) == (15, {giving_up.GIVEN_UP: 15})
    else:
        with services.db.write() as session:
            lifecycle.finish(session, services.clock.now(), session.get_one(Run, run_id), RunState.FAILED)
    go_on(services, run_id)
    owe_again(services, run_id)
    assert sorted(set(states(services))) == ["ready", "waiting"]
    assert (read(services, run_id).skipped, read(services, run_id).cursor) == (0, {})


def test_what_came_again_meanwhile_is_done_with(
    services: Services, connector_id: int, run_id: int, change: MakeChange
) -> None:
    ask(services, run_id)
    end(services, run_id)
    accept(services, connector_id, change(0, "p0@example.com"), change(1, "p1@example.com"))
    go_on(services, run_id)
    owe_again(services, run_id)
    run = read(services, run_id)
    assert (run.skipped, run.already) == (0, 2)
    ask(services, run_id)
    assert end(services, run_id).cursor == {giving_up.GIVEN_UP: 13}
    with services.db.read() as session:
        assert giving_up.is_all_there(session, read(services, run_id))


def test_what_is_deleted_before_it_was_owed_again_is_said(services: Services, run_id: int) -> None:
    ask(services, run_id)
    end(services, run_id)
    go_on(services, run_id)
    with services.db.write() as session:
        session.execute(delete(Delivery))
    with pytest.raises(IntegrationError) as told, services.db.write() as session:
        giving_up.take_back(session, services.clock.now(), session.get_one(Run, run_id))
    assert told.value is giving_up.GONE
    with services.db.write() as session:
        lifecycle.finish(session, services.clock.now(), session.get_one(Run, run_id), RunState.FAILED, told.value)
    # All of it is done again, by another run.
    assert resumption.resume(services, run_id) == run_id + 1


def test_one_lane_keeps_what_it_has(services: Services, connector_id: int, run_id: int) -> None:
    with services.db.write() as session:
        outbox.let_go(session, connector_id, run_id, most=1)
    [group] = claim(services, connector_id)
    ask(services, run_id)
    ended = end(services, run_id)
    assert (ended.skipped, ended.waiting) == (12, 3)
    with services.db.read() as session:
        kept = session.scalars(select(Delivery.lease_token).where(Delivery.person_key == group.person_key)).all()
    assert (len(kept), len(set(kept)), None in kept) == (3, 1, False)
