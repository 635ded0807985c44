"""The outbox: one open delivery a person, in order, live first, nothing lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.events import Kind, Origin
from integration.models.delivery import Delivery, DeliveryState
from integration.models.run import RunKind
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.pipeline import outbox
from integration.pipeline.delivery.groups import DeliveryGroup, Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox import leasing
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange


def accept(services: Services, connector_id: int, *changes: object, run_id: int | None = None) -> outbox.Accepted:
    with services.db.write() as session:
        return outbox.accept(session, services.clock.now(), connector_id, list(changes), run_id)  # type: ignore[arg-type]


def claim(services: Services, connector_id: int, people: int = 50, token: str | None = None) -> list[DeliveryGroup]:
    with services.db.write() as session:
        return outbox.claim(session, services.clock.now(), connector_id, people, token or new_token())


def settle(services: Services, connector_id: int, token: str, *outcomes: Outcome) -> list[Outcome]:
    with services.db.write() as session:
        return outbox.settle(session, services.clock.now(), connector_id, token, list(outcomes))


def states(services: Services) -> list[str]:
    with services.db.read() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def test_of_one_person_one_delivery_is_ready_and_the_others_wait(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1), change(2), change(3, "bob@example.com"))
    assert states(services) == ["ready", "waiting", "ready"]


def test_every_spelling_of_an_address_is_one_person(services: Services, connector_id: int, change: MakeChange) -> None:
    accept(services, connector_id, change(1, "Ada@Example.com "), change(2, "ada@example.COM"))
    assert [len(group.deliveries) for group in claim(services, connector_id)] == [2]


def test_a_claim_takes_whole_lines_oldest_first(services: Services, connector_id: int, change: MakeChange) -> None:
    accept(services, connector_id, change(1), change(2, "bob@example.com"), change(3))
    groups = claim(services, connector_id)
    assert [[leased.source_id for leased in group.deliveries] for group in groups] == [["1", "3"], ["2"]]
    assert claim(services, connector_id) == []


def test_what_arrives_while_a_line_is_leased_waits_and_is_promoted(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1))
    token = new_token()
    [group] = claim(services, connector_id, token=token)
    accept(services, connector_id, change(2))
    assert states(services) == ["leased", "waiting"]
    settle(services, connector_id, token, Outcome(group.deliveries[0].id, DeliveryState.DELIVERED, "created", 7))
    assert states(services) == ["delivered", "ready"]


def test_an_equal_change_is_dropped_only_while_one_is_open(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    assert accept(services, connector_id, change(1), change(1)).new == 1
    assert accept(services, connector_id, change(1)).repeated == 1
    token = new_token()
    [group] = claim(services, connector_id, token=token)
    settle(services, connector_id, token, Outcome(group.deliveries[0].id, DeliveryState.DELIVERED))
    assert accept(services, connector_id, change(1)).new == 1


def test_snapshots_of_a_customer_collapse_and_order_statuses_do_not(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    old = change(5, kind=Kind.CONTACT, event="updated", first_name="Old")
    new = change(5, kind=Kind.CONTACT, event="updated", minutes=1, first_name="New")
    accept(services, connector_id, old)
    assert accept(services, connector_id, new) == outbox.Accepted(0, 1, 0)
    accept(services, connector_id, change(6, event="processing"), change(6, event="completed"))
    [group] = claim(services, connector_id)
    assert [leased.payload.get("first_name", leased.event) for leased in group.deliveries] == [
        "New",
        "processing",
        "completed",
    ]


def test_a_customer_whose_address_changed_is_not_collapsed(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(5, "a@example.com", kind=Kind.CONTACT, event="updated"))
    accept(services, connector_id, change(5, "b@example.com", kind=Kind.CONTACT, event="updated", minutes=1))
    assert len(claim(services, connector_id)) == 2


def test_live_goes_before_history_and_pulls_its_line_forward(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1, "old@example.com", origin=Origin.INITIAL))
    accept(services, connector_id, change(2, "ada@example.com", origin=Origin.INITIAL))
    accept(services, connector_id, change(3, "ada@example.com", minutes=1))
    [group] = claim(services, connector_id, people=1)
    assert [leased.source_id for leased in group.deliveries] == ["2", "3"]


def test_later_counts_the_attempt_and_keeps_the_order(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1), change(2))
    token = new_token()
    [group] = claim(services, connector_id, token=token)
    first, second = group.deliveries
    later = Outcome(first.id, None, wait=timedelta(seconds=10), faults=1, error_code="fault")
    settle(services, connector_id, token, later, Outcome(second.id, None, faults=0))
    assert claim(services, connector_id) == []
    clock.advance(seconds=11)
    [group] = claim(services, connector_id)
    assert [(leased.source_id, leased.attempts, leased.faults) for leased in group.deliveries] == [
        ("1", 2, 1),
        ("2", 2, 0),
    ]


def test_a_lost_lease_is_not_written(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    token = new_token()
    [group] = claim(services, connector_id, token=token)
    clock.advance(seconds=61)
    with services.db.write() as session:
        assert outbox.recover(session, clock.now()) == 1
    assert settle(services, connector_id, token, Outcome(group.deliveries[0].id, DeliveryState.DELIVERED)) == []
    assert states(services) == ["ready"]


def test_a_renewed_lease_is_kept(services: Services, connector_id: int, change: MakeChange, clock: SetClock) -> None:
    accept(services, connector_id, change(1), change(2))
    token = new_token()
    claim(services, connector_id, token=token)
    clock.advance(seconds=50)
    with services.db.write() as session:
        assert outbox.renew(session, clock.now(), token)
    clock.advance(seconds=50)
    with services.db.write() as session:
        assert outbox.recover(session, clock.now()) == 0


def test_what_another_process_took_back_meanwhile_is_left_to_it(
    services: Services, connector_id: int, change: MakeChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that start at once see the same lost leases; on PostgreSQL one waits here until the other is done."""
    accept(services, connector_id, change(1))
    own = new_token().split(".")
    claim(services, connector_id, token=f"{own[0]}.4194304.1.dead")
    lock = leasing.lock_connector

    def after_the_other(session: Session, number: int) -> None:
        monkeypatch.setattr(leasing, "lock_connector", lock)
        assert outbox.recover(session, services.clock.now()) == 1
        lock(session, number)

    monkeypatch.setattr(leasing, "lock_connector", after_the_other)
    with services.db.write() as session:
        assert outbox.recover(session, services.clock.now()) == 0
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1


def test_a_killed_process_leaves_its_whole_line_for_a_look_at_mautic(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    """A call may have been out when it died, so that nothing is sent before Mautic was asked."""
    accept(services, connector_id, change(1), change(2))
    own = new_token().split(".")
    claim(services, connector_id, token=f"{own[0]}.4194304.1.dead")
    with services.db.write() as session:
        assert outbox.recover(session, services.clock.now()) == 2
    accept(services, connector_id, change(3), change(4, "bob@example.com"))
    assert [group.deliveries[0].source_id for group in claim(services, connector_id)] == ["4"]
    assert asked(services, connector_id) == (None, [])
    clock.advance(seconds=11)
    assert claim(services, connector_id) == []
    call, groups = asked(services, connector_id)
    assert call is not None and (call.rows, call.looks, list(call.seen.values())) == (1, 0, [None])
    assert [len(group.deliveries) for group in groups] == [3]


def asked(services: Services, connector_id: int) -> tuple[outbox.LookedUpCall | None, list[DeliveryGroup]]:
    with services.db.write() as session:
        return outbox.claim_for_look_up(session, services.clock.now(), connector_id, new_token())


def test_only_one_looks_and_who_dies_in_a_look_is_looked_up_again(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    own = new_token().split(".")
    dead = f"{own[0]}.4194304.1.dead"
    claim(services, connector_id, token=dead)
    for _ in range(2):
        with services.db.write() as session:
            assert outbox.recover(session, services.clock.now()) == 1
        clock.advance(seconds=11)
        with services.db.write() as session:
            call, groups = outbox.claim_for_look_up(session, services.clock.now(), connector_id, dead)
        assert call is not None and len(groups) == 1
        assert asked(services, connector_id) == (None, [])
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1


def test_a_call_of_whom_nothing_is_owed_any_more_is_forgotten(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    own = new_token().split(".")
    [group] = claim(services, connector_id, token=f"{own[0]}.4194304.1.dead")
    with services.db.write() as session:
        outbox.recover(session, services.clock.now())
        outbox.bury(session, services.clock.now(), connector_id, [group.deliveries[0].id], "not wanted")
        outbox.recover(session, services.clock.now())
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1
        clock.advance(seconds=11)
        outbox.recover(session, services.clock.now())
        assert session.scalar(select(func.count()).select_from(UnansweredPerson)) == 0


def test_a_dead_letter_keeps_its_payload_and_can_be_sent_again(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1))
    token = new_token()
    [group] = claim(services, connector_id, token=token)
    dead = Outcome(group.deliveries[0].id, DeliveryState.DEAD, error_code="email_refused", message="No.")
    settle(services, connector_id, token, dead)
    with services.db.write() as session:
        assert outbox.requeue(session, services.clock.now(), connector_id, [group.deliveries[0].id]).queued == 1
    [group] = claim(services, connector_id)
    assert group.deliveries[0].origin is Origin.REPLAY
    assert group.deliveries[0].payload["id"] == 1


def test_a_cancelled_run_gives_up_what_waits(services: Services, connector_id: int, change: MakeChange) -> None:
    accept(services, connector_id, change(1), change(2, "bob@example.com"), run_id=9)
    accept(services, connector_id, change(3))
    with services.db.write() as session:
        assert outbox.discard(session, services.clock.now(), connector_id, run_id=9) == 2
    assert states(services) == ["discarded", "discarded", "ready"]


def test_simultaneous_accepts_and_claims_keep_one_lead_a_person(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    failures: list[BaseException] = []

    def shop(first: int) -> None:
        try:
            for number in range(first, first + 15):
                accept(services, connector_id, change(number, f"p{number % 3}@example.com"))
        except BaseException as error:
            failures.append(error)

    def work() -> None:
        try:
            for _ in range(15):
                token = new_token()
                groups = claim(services, connector_id, people=2, token=token)
                done = [Outcome(i.id, DeliveryState.DELIVERED) for group in groups for i in group.deliveries]
                settle(services, connector_id, token, *done)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=shop, args=(n,)) for n in (100, 200)]
    threads += [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    while groups := claim(services, connector_id, token=(token := new_token())):
        settle(
            services,
            connector_id,
            token,
            *(Outcome(i.id, DeliveryState.DELIVERED) for x in groups for i in x.deliveries),
        )
    assert set(states(services)) == {"delivered"}
    assert len(states(services)) == 30


def test_an_event_of_what_history_has_on_its_way_is_counted_once(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    run_id = run_lifecycle.start(services, connector_id, RunKind.INCREMENTAL, trigger="test")
    seen = [change(number, f"{number}@example.com") for number in (1, 2, 3)]
    accept(services, connector_id, *[replace(each, origin=Origin.INITIAL) for each in seen])
    events = [replace(each, origin=Origin.POLL, reached_at=services.clock.now()) for each in seen[:2]]
    came = accept(services, connector_id, *events, seen[2], run_id=run_id)
    assert (came.taken, came.already) == (3, 0)
    again = accept(services, connector_id, *events, seen[2], run_id=run_id)
    assert (again.new, again.already >= 0) == (0, True)
