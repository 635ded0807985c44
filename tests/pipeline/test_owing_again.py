"""A cancelled run that goes on first owes again what it gave up, some at a time, and nothing of it is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import delete

from integration.errors import IntegrationError
from integration.events import Origin
from integration.models import Delivery, Run
from integration.models.run import RunKind, RunState
from integration.pipeline.runs import cancelling, giving_up, lifecycle, resumption
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange, accept, claim, states
from tests.pipeline.large_runs import ORDERS, PEOPLE, ask, end, go_on, owe_again, read, rest, run_id, small

__all__ = ["run_id", "small"]


def test_what_was_given_up_is_owed_again_and_counted_once(services: Services, connector_id: int, run_id: int) -> None:
    ask(services, run_id)
    end(services, run_id)
    go_on(services, run_id)
    owe_again(services, run_id)
    run = read(services, run_id)
    assert (run.skipped, run.already, run.cursor) == (0, 0, {})
    assert sorted(set(states(services))) == ["ready", "waiting"]
    assert sum(len(group.deliveries) for group in claim(services, connector_id)) == PEOPLE * ORDERS


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


def test_a_paused_run_whose_cancelling_broke_off_loses_nothing(
    services: Services, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(services, run_id)
    other = lifecycle.start(services, read(services, run_id).connector_id, RunKind.INCREMENTAL, trigger="schedule")
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "finish", lambda *said: 1 / 0)
        assert cancelling.cancel(services, run_id)
        with pytest.raises(ZeroDivisionError):
            cancelling.end_paused(services)
    assert (read(services, run_id).state, set(states(services))) == ("PAUSED", {"discarded"})
    cancelling.end_paused(services)
    assert cancelling.cancel(services, other)
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
