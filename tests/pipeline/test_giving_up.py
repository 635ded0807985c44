"""What a cancelled run has waiting is given up some at a time, by whoever ends it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text, update

from integration.engines import schedule
from integration.events import Origin
from integration.models import Delivery, Run, RunLine
from integration.models.run import RunKind
from integration.pipeline import outbox
from integration.pipeline.leases.endings import Paused
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, giving_up, lifecycle, resumption
from integration.pipeline.runs.execution import Execution
from integration.pipeline.services import Services
from integration.queries.runs import badge
from tests.pipeline.conftest import claim, killed, states
from tests.pipeline.large_runs import ORDERS, PEOPLE, ask, end, give_back, read, rest, run_id, small
from tests.waiting import wait_for

__all__ = ["run_id", "small"]


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


def test_beside_another_run_no_worker_can_so_the_clock_does_it(services: Services, run_id: int) -> None:
    rest(services, run_id)
    lifecycle.start(services, read(services, run_id).connector_id, RunKind.INCREMENTAL, trigger="schedule")
    ask(services, run_id)
    waits = read(services, run_id)
    assert (waits.state, badge(waits)) == ("PAUSED", ("Being cancelled", "warn"))
    assert "discarded" not in states(services)
    with pytest.raises(resumption.CannotResume, match="being cancelled"):
        resumption.resume(services, run_id)
    cancelling.end_paused(services)
    assert (read(services, run_id).state, set(states(services))) == ("CANCELLED", {"discarded"})


def test_a_paused_run_that_nobody_cancelled_is_left_alone(services: Services, run_id: int) -> None:
    rest(services, run_id)
    cancelling.end_paused(services)
    assert read(services, run_id).state == "PAUSED"


def test_what_is_on_its_way_or_changed_just_now_keeps_no_paused_run(services: Services, run_id: int) -> None:
    rest(services, run_id)
    lifecycle.start(services, read(services, run_id).connector_id, RunKind.INCREMENTAL, trigger="schedule")
    with services.db.write() as session:
        session.execute(update(Delivery).values(origin=Origin.WEBHOOK))
    ask(services, run_id)
    cancelling.end_paused(services)
    assert (read(services, run_id).state, "discarded" in states(services)) == ("CANCELLED", False)


def test_a_click_on_what_is_being_cancelled_is_audited_once(services: Services, run_id: int) -> None:
    asked: list[int] = []
    for _ in range(2):
        assert cancelling.cancel(services, run_id, audit=lambda _, run: asked.append(run.id))
    assert asked == [run_id]


class Resting(Execution):
    def _work(self) -> None:
        raise Paused


def test_a_run_that_is_cancelled_while_it_comes_to_rest_has_ended(
    services: Services, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle.pause(services, run_id)
    going, let_go = read(services, run_id), outbox.let_go_by_parts

    def cancelled_meanwhile(*args: Any) -> None:
        let_go(*args)
        ask(services, run_id)

    monkeypatch.setattr(outbox, "let_go_by_parts", cancelled_meanwhile)
    Resting(services, going, going.lease_token or "").execute()
    assert (read(services, run_id).state, set(states(services))) == ("CANCELLED", {"discarded"})


def test_a_click_that_dies_leaves_the_rest_to_the_clock(
    services: Services, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(services, run_id)
    monkeypatch.setattr(cancelling, "_end_cancelled", lambda *_: None)
    ask(services, run_id)
    monkeypatch.undo()
    cancelling.end_paused(services)
    assert (read(services, run_id).state, set(states(services))) == ("CANCELLED", {"discarded"})


def test_a_run_that_is_being_cancelled_is_not_paused(services: Services, run_id: int) -> None:
    give_back(services, run_id)
    ask(services, run_id)
    with pytest.raises(lifecycle.CannotPause):
        lifecycle.pause(services, run_id)


def test_a_run_that_was_given_back_is_paused_at_once(services: Services, run_id: int) -> None:
    give_back(services, run_id)
    lifecycle.pause(services, run_id)
    assert read(services, run_id).state == "PAUSED"


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
