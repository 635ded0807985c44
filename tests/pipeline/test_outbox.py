"""The outbox: one open delivery a person, in order, live first, nothing lost."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy import select

from integration.clock import SetClock
from integration.events import Kind
from integration.events import Origin
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.models.unanswered import UnansweredCall
from integration.models.unanswered import UnansweredPerson
from integration.pipeline import outbox
from integration.pipeline.leases import new_token
from integration.pipeline.lines import Line
from integration.pipeline.lines import Outcome
from integration.pipeline.ports import Ports
from tests.pipeline.conftest import MakeChange


def accept(ports: Ports, connector_id: int, *changes: object, run_id: int | None = None) -> outbox.Accepted:
    with ports.db.write() as session:
        return outbox.accept(session, ports.clock.now(), connector_id, list(changes), run_id)  # type: ignore[arg-type]


def claim(ports: Ports, connector_id: int, people: int = 50, token: str | None = None) -> list[Line]:
    with ports.db.write() as session:
        return outbox.claim(session, ports.clock.now(), connector_id, people, token or new_token())


def settle(ports: Ports, connector_id: int, token: str, *outcomes: Outcome) -> list[Outcome]:
    with ports.db.write() as session:
        return outbox.settle(session, ports.clock.now(), connector_id, token, list(outcomes))


def states(ports: Ports) -> list[str]:
    with ports.db.read() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def test_of_one_person_one_delivery_is_ready_and_the_others_wait(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1), change(2), change(3, "bob@example.com"))
    assert states(ports) == ["ready", "waiting", "ready"]


def test_every_spelling_of_an_address_is_one_person(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(1, "Ada@Example.com "), change(2, "ada@example.COM"))
    assert [len(line.items) for line in claim(ports, connector_id)] == [2]


def test_a_claim_takes_whole_lines_oldest_first(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(1), change(2, "bob@example.com"), change(3))
    lines = claim(ports, connector_id)
    assert [[item.source_id for item in line.items] for line in lines] == [["1", "3"], ["2"]]
    assert claim(ports, connector_id) == []


def test_what_arrives_while_a_line_is_leased_waits_and_is_promoted(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1))
    token = new_token()
    [line] = claim(ports, connector_id, token=token)
    accept(ports, connector_id, change(2))
    assert states(ports) == ["leased", "waiting"]
    settle(ports, connector_id, token, Outcome(line.items[0].id, DeliveryState.DELIVERED, "created", 7))
    assert states(ports) == ["delivered", "ready"]


def test_an_equal_change_is_dropped_only_while_one_is_open(ports: Ports, connector_id: int, change: MakeChange) -> None:
    assert accept(ports, connector_id, change(1), change(1)).new == 1
    assert accept(ports, connector_id, change(1)).repeated == 1
    token = new_token()
    [line] = claim(ports, connector_id, token=token)
    settle(ports, connector_id, token, Outcome(line.items[0].id, DeliveryState.DELIVERED))
    assert accept(ports, connector_id, change(1)).new == 1


def test_snapshots_of_a_customer_collapse_and_order_statuses_do_not(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    old = change(5, kind=Kind.CONTACT, what="updated", first_name="Old")
    new = change(5, kind=Kind.CONTACT, what="updated", minutes=1, first_name="New")
    accept(ports, connector_id, old)
    assert accept(ports, connector_id, new) == outbox.Accepted(0, 1, 0)
    accept(ports, connector_id, change(6, what="processing"), change(6, what="completed"))
    [line] = claim(ports, connector_id)
    assert [item.payload.get("first_name", item.what) for item in line.items] == ["New", "processing", "completed"]


def test_a_customer_whose_address_changed_is_not_collapsed(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(5, "a@example.com", kind=Kind.CONTACT, what="updated"))
    accept(ports, connector_id, change(5, "b@example.com", kind=Kind.CONTACT, what="updated", minutes=1))
    assert len(claim(ports, connector_id)) == 2


def test_live_goes_before_history_and_pulls_its_line_forward(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1, "old@example.com", origin=Origin.INITIAL))
    accept(ports, connector_id, change(2, "ada@example.com", origin=Origin.INITIAL))
    accept(ports, connector_id, change(3, "ada@example.com", minutes=1))
    [line] = claim(ports, connector_id, people=1)
    assert [item.source_id for item in line.items] == ["2", "3"]


def test_later_counts_the_attempt_and_keeps_the_order(
    ports: Ports, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(ports, connector_id, change(1), change(2))
    token = new_token()
    [line] = claim(ports, connector_id, token=token)
    first, second = line.items
    later = Outcome(first.id, None, wait=timedelta(seconds=10), faults=1, error_code="fault")
    settle(ports, connector_id, token, later, Outcome(second.id, None, faults=0))
    assert claim(ports, connector_id) == []
    clock.advance(seconds=11)
    [line] = claim(ports, connector_id)
    assert [(item.source_id, item.attempts, item.faults) for item in line.items] == [("1", 2, 1), ("2", 2, 0)]


def test_a_lost_lease_is_not_written(ports: Ports, connector_id: int, change: MakeChange, clock: SetClock) -> None:
    accept(ports, connector_id, change(1))
    token = new_token()
    [line] = claim(ports, connector_id, token=token)
    clock.advance(seconds=61)
    with ports.db.write() as session:
        assert outbox.recover(session, clock.now()) == 1
    assert settle(ports, connector_id, token, Outcome(line.items[0].id, DeliveryState.DELIVERED)) == []
    assert states(ports) == ["ready"]


def test_a_renewed_lease_is_kept(ports: Ports, connector_id: int, change: MakeChange, clock: SetClock) -> None:
    accept(ports, connector_id, change(1), change(2))
    token = new_token()
    claim(ports, connector_id, token=token)
    clock.advance(seconds=50)
    with ports.db.write() as session:
        assert outbox.renew(session, clock.now(), token)
    clock.advance(seconds=50)
    with ports.db.write() as session:
        assert outbox.recover(session, clock.now()) == 0


def test_a_killed_process_leaves_its_whole_line_for_a_look_at_mautic(
    ports: Ports, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    """A call may have been out when it died, so that nothing is sent before Mautic was asked."""
    accept(ports, connector_id, change(1), change(2))
    own = new_token().split(".")
    claim(ports, connector_id, token=f"{own[0]}.4194304.1.dead")
    with ports.db.write() as session:
        assert outbox.recover(session, ports.clock.now()) == 2
    accept(ports, connector_id, change(3), change(4, "bob@example.com"))
    assert [line.items[0].source_id for line in claim(ports, connector_id)] == ["4"]
    assert asked(ports, connector_id) == (None, [])
    clock.advance(seconds=11)
    assert claim(ports, connector_id) == []
    call, lines = asked(ports, connector_id)
    assert call is not None and (call.rows, call.looks, list(call.seen.values())) == (1, 0, [None])
    assert [len(line.items) for line in lines] == [3]


def asked(ports: Ports, connector_id: int) -> tuple[outbox.Asked | None, list[Line]]:
    with ports.db.write() as session:
        return outbox.claim_asked(session, ports.clock.now(), connector_id, new_token())


def test_only_one_looks_and_who_dies_in_a_look_is_looked_up_again(
    ports: Ports, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(ports, connector_id, change(1))
    own = new_token().split(".")
    dead = f"{own[0]}.4194304.1.dead"
    claim(ports, connector_id, token=dead)
    for _ in range(2):
        with ports.db.write() as session:
            assert outbox.recover(session, ports.clock.now()) == 1
        clock.advance(seconds=11)
        with ports.db.write() as session:
            call, lines = outbox.claim_asked(session, ports.clock.now(), connector_id, dead)
        assert call is not None and len(lines) == 1
        assert asked(ports, connector_id) == (None, [])
    with ports.db.read() as session:
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1


def test_a_call_of_whom_nothing_is_owed_any_more_is_forgotten(
    ports: Ports, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(ports, connector_id, change(1))
    own = new_token().split(".")
    [line] = claim(ports, connector_id, token=f"{own[0]}.4194304.1.dead")
    with ports.db.write() as session:
        outbox.recover(session, ports.clock.now())
        outbox.bury(session, ports.clock.now(), connector_id, [line.items[0].id], "not wanted")
        outbox.recover(session, ports.clock.now())
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1
        clock.advance(seconds=11)
        outbox.recover(session, ports.clock.now())
        assert session.scalar(select(func.count()).select_from(UnansweredPerson)) == 0


def test_a_dead_letter_keeps_its_payload_and_can_be_sent_again(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    accept(ports, connector_id, change(1))
    token = new_token()
    [line] = claim(ports, connector_id, token=token)
    dead = Outcome(line.items[0].id, DeliveryState.DEAD, error_code="email_refused", message="No.")
    settle(ports, connector_id, token, dead)
    with ports.db.write() as session:
        assert outbox.requeue(session, ports.clock.now(), connector_id, [line.items[0].id]).queued == 1
    [line] = claim(ports, connector_id)
    assert line.items[0].origin is Origin.REPLAY
    assert line.items[0].payload["id"] == 1


def test_a_cancelled_run_gives_up_what_waits(ports: Ports, connector_id: int, change: MakeChange) -> None:
    accept(ports, connector_id, change(1), change(2, "bob@example.com"), run_id=9)
    accept(ports, connector_id, change(3))
    with ports.db.write() as session:
        assert outbox.discard(session, ports.clock.now(), connector_id, run_id=9) == 2
    assert states(ports) == ["discarded", "discarded", "ready"]


def test_simultaneous_accepts_and_claims_keep_one_lead_a_person(
    ports: Ports, connector_id: int, change: MakeChange
) -> None:
    failures: list[BaseException] = []

    def shop(first: int) -> None:
        try:
            for number in range(first, first + 15):
                accept(ports, connector_id, change(number, f"p{number % 3}@example.com"))
        except BaseException as error:
            failures.append(error)

    def work() -> None:
        try:
            for _ in range(15):
                token = new_token()
                lines = claim(ports, connector_id, people=2, token=token)
                done = [Outcome(i.id, DeliveryState.DELIVERED) for line in lines for i in line.items]
                settle(ports, connector_id, token, *done)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=shop, args=(n,)) for n in (100, 200)]
    threads += [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    while lines := claim(ports, connector_id, token=(token := new_token())):
        settle(ports, connector_id, token, *(Outcome(i.id, DeliveryState.DELIVERED) for x in lines for i in x.items))
    assert set(states(ports)) == {"delivered"}
    assert len(states(ports)) == 30
