"""The outbox: one open delivery a person, in order, live first, nothing lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from integration.clock import SetClock
from integration.events import Kind, Origin
from integration.identity import person_key_of
from integration.models.delivery import DeliveryState
from integration.models.ledger import LedgerEntry
from integration.models.run import Run, RunKind
from integration.pipeline import outbox
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox import leasing
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline.conftest import MakeChange, accept, claim, settle, states


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


def test_people_with_many_deliveries_are_claimed_a_few_at_a_time(
    services: Services, connector_id: int, change: MakeChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "ROWS_MAX", 5)
    names = ["ada"] * 3 + ["bob"] * 2 + ["eve"] + ["max"] * 7 + ["zoe"]
    changes = [change(number, f"{name}@example.com") for number, name in enumerate(names, start=1)]
    accept(services, connector_id, *changes)
    found = [[len(group.deliveries) for group in claim(services, connector_id)] for _ in range(5)]
    assert found == [[3, 2], [1], [7], [1], []]


def test_people_with_very_many_known_orders_are_claimed_a_few_at_a_time(
    services: Services, connector_id: int, change: MakeChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "ROWS_MAX", 5)
    ledger = {"ada": 31, "bob": 1, "eve": 8, "max": 700, "zoe": 0}
    accept(services, connector_id, *(change(at, f"{name}@example.com") for at, name in enumerate(ledger, start=1)))
    known = [person_key_of(f"{name}@example.com") for name, orders in ledger.items() for _ in range(orders)]
    with services.db.write() as session:
        session.add_all(_known(connector_id, number, person_key) for number, person_key in enumerate(known, start=1))
    found = [len(claim(services, connector_id)) for _ in range(5)]
    assert found == [1, 2, 1, 1, 0]


def _known(connector_id: int, number: int, person_key: str) -> LedgerEntry:
    given = {"status": "completed", "net_total": "1.00", "currency": "EUR"}
    return LedgerEntry(connector_id=connector_id, order_id=number, person_key=person_key, **given)


@pytest.mark.parametrize(
    ("phase", "people", "sizes"),
    [
        ("deliver", 60, [30, 30]),
        ("deliver", 130, [100, 30]),
        ("deliver", 49, [49]),
        ("deliver", 99, [50, 49]),
        ("orders", 60, [60]),
        ("", 60, [60]),
    ],
)
def test_the_last_people_of_a_run_are_shared_among_the_lanes(
    services: Services, connector_id: int, change: MakeChange, phase: str, people: int, sizes: list[int]
) -> None:
    with services.db.write() as session:
        if phase:
            run = {"kind": "full", "trigger": "test", "state": "RUNNING", "created_at": NOON}
            session.add(Run(connector_id=connector_id, phase=phase, **run))
    accept(services, connector_id, *(change(number, f"buyer{number}@example.com") for number in range(people)))
    found = []
    with services.db.write() as session:
        while groups := outbox.claim(session, services.clock.now(), connector_id, 100, new_token(), lanes=2):
            found.append(len(groups))
    assert found == sizes


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


def test_a_cancelled_run_gives_up_what_waits_of_history(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    history = [change(1, origin=Origin.FULL), change(2, "bob@example.com", origin=Origin.BULK)]
    accept(services, connector_id, *history, run_id=9)
    accept(services, connector_id, change(3))
    with services.db.write() as session:
        assert outbox.discard(session, services.clock.now(), connector_id, run_id=9) == 2
    assert states(services) == ["discarded", "discarded", "ready"]


@pytest.mark.parametrize("origin", [Origin.POLL, Origin.WEBHOOK])
def test_what_just_happened_stays_owed_when_its_run_is_cancelled(
    services: Services, connector_id: int, change: MakeChange, origin: Origin
) -> None:
    """A poll's own finds, and what an import has adopted: nothing would bring them, or their e-mails, again."""
    accept(services, connector_id, change(1, origin=origin), run_id=9)
    with services.db.write() as session:
        assert outbox.discard(session, services.clock.now(), connector_id, run_id=9) == 0
    assert states(services) == ["ready"]
    assert [group.deliveries[0].source_id for group in claim(services, connector_id)] == ["1"]


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
