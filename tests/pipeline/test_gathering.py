"""While a run reads the whole store, a person waits until all of theirs was read; nothing else makes anybody wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.engines import schedule
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.models.connector import Connector
from integration.models.ledger import LedgerEntry
from integration.models.run import Run, RunKind, RunState
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox import gathering
from integration.pipeline.runs import cancelling, lifecycle, lost_runs
from integration.pipeline.runs.page_intake import PageIntake
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline.conftest import MakeChange, claim, killed, states

ADA = "ada@example.com"
STATUSES = ("completed", "refunded")


def known(services: Services, connector_id: int, *numbers: int, email: str = ADA, status: str = "completed") -> None:
    """Put orders into the ledger, as the list at the start of an import does."""
    with services.db.write() as session:
        for number in numbers:
            row = {"status": status, "net_total": "1.00", "currency": "EUR", "modified_at": NOON}
            key = person_key_of(email)
            session.add(LedgerEntry(connector_id=connector_id, order_id=number, person_key=key, **row))


def take(services: Services, connector_id: int, run: Run, *changes: Change, last_id: int = 0, **bounds: object) -> None:
    """Take a page as a run does, whose orders end with this one."""
    ids = [int(each.source_id) for each in changes if each.kind is Kind.ORDER]
    to_come = outbox.ToCome(STATUSES, last_id, page=ids, **bounds)  # type: ignore[arg-type]  # moments by their names
    with services.db.write() as session:
        outbox.accept(session, services.clock.now(), connector_id, changes, run.id, to_come)


@pytest.fixture
def run(services: Services, connector_id: int) -> Run:
    lifecycle.start(services, connector_id, RunKind.INITIAL, trigger="test")
    with services.db.write() as session:
        found = lifecycle.take(session, services.clock.now(), new_token())
    assert found is not None
    return found


def history(change: MakeChange, *numbers: int, email: str = ADA) -> list[Change]:
    return [change(number, email, origin=Origin.INITIAL) for number in numbers]


def customer(change: MakeChange, email: str = ADA, **more: object) -> Change:
    return change(7, email, kind=Kind.CONTACT, event="updated", **{"origin": Origin.INITIAL, **more})


def test_a_person_goes_with_the_page_that_has_their_last_order(
    services: Services, connector_id: int, change: MakeChange, run: Run
) -> None:
    known(services, connector_id, 1, 2, 5)
    known(services, connector_id, 3, email="bob@example.com")
    take(services, connector_id, run, customer(change))
    take(services, connector_id, run, *history(change, 1, 2), *history(change, 3, email="bob@example.com"), last_id=3)
    assert [group.person_key for group in claim(services, connector_id)] == [person_key_of("bob@example.com")]
    take(services, connector_id, run, *history(change, 5), last_id=5)
    [group] = claim(services, connector_id)
    assert [leased.source_id for leased in group.deliveries] == ["7", "1", "2", "5"]


def test_who_has_no_order_that_the_run_reads_goes_at_once(
    services: Services, connector_id: int, change: MakeChange, run: Run
) -> None:
    known(services, connector_id, 1, status="pending")
    known(services, connector_id, 2, email="old@example.com")
    take(services, connector_id, run, customer(change))
    take(services, connector_id, run, change(8, "", kind=Kind.CONTACT, origin=Origin.INITIAL))
    old = change(9, "old@example.com", kind=Kind.CONTACT, origin=Origin.INITIAL)
    take(services, connector_id, run, old, after=NOON + timedelta(days=1))
    assert len(claim(services, connector_id)) == 3


def test_the_ledger_knows_how_many_orders_are_still_to_be_read(services: Services, connector_id: int) -> None:
    known(services, connector_id, 1, 2, 5)
    known(services, connector_id, 3, status="pending")
    with services.db.read() as session:
        counts = [outbox.ToCome(STATUSES, last_id).count(session, connector_id) for last_id in (0, 2, 5)]
    assert counts == [3, 1, 0]


def test_who_has_very_many_orders_goes_as_they_are_read(
    services: Services, connector_id: int, change: MakeChange, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "ORDERS_MAX", 2)
    known(services, connector_id, 1, 2, 3, 4)
    take(services, connector_id, run, *history(change, 1), last_id=1)
    assert len(claim(services, connector_id)) == 1


def test_a_page_lets_those_go_whose_last_order_could_not_be_taken(
    services: Services, connector_id: int, change: MakeChange, run: Run
) -> None:
    known(services, connector_id, 1)
    known(services, connector_id, 2, email="bob@example.com")
    take(services, connector_id, run, customer(change))
    with services.db.write() as session:
        to_come = outbox.ToCome(STATUSES, 2, page=[1, 2])
        of_bob = history(change, 2, email="bob@example.com")
        outbox.accept(session, services.clock.now(), connector_id, of_bob, run.id, to_come)
    assert len(claim(services, connector_id)) == 2


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CONTACT])
def test_a_live_change_does_not_wait_for_the_import(
    services: Services, connector_id: int, change: MakeChange, run: Run, kind: Kind
) -> None:
    known(services, connector_id, 1, 9)
    take(services, connector_id, run, customer(change), *history(change, 1), last_id=1)
    assert claim(services, connector_id) == []
    live = change(7, ADA, kind=kind, event="updated", minutes=5)
    with services.db.write() as session:
        outbox.accept(session, services.clock.now(), connector_id, [live])
    [group] = claim(services, connector_id)
    # A newer snapshot of the customer stands in the row that waited.
    assert len(group.deliveries) == (3 if kind is Kind.ORDER else 2)


def _killed(session: Session, services: Services, run: Run) -> None:
    session.get_one(Run, run.id).lease_token = killed()
    session.flush()
    assert lost_runs.close(session, services.clock.now()) == [run.id]


def _ended(state: RunState) -> Callable[[Session, Services, Run], None]:
    return lambda session, services, run: lifecycle.finish(
        session, services.clock.now(), session.get_one(Run, run.id), state
    )


ENDINGS: dict[str, Callable[[Session, Services, Run], None]] = {
    "failed": _ended(RunState.FAILED),
    "completed": _ended(RunState.COMPLETED),
    "paused": lambda session, services, run: lifecycle.rest(
        session, services.clock.now(), session.get_one(Run, run.id)
    ),
    "killed": _killed,
}


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_however_a_run_ends_nobody_is_left_waiting(
    services: Services, connector_id: int, change: MakeChange, run: Run, ending: str
) -> None:
    known(services, connector_id, 1, 9)
    take(services, connector_id, run, customer(change), *history(change, 1), last_id=1)
    assert states(services) == ["waiting", "waiting"]
    with services.db.write() as session:
        ENDINGS[ending](session, services, run)
    [group] = claim(services, connector_id)
    assert len(group.deliveries) == 2


def test_who_is_gathered_waits_for_the_process_that_goes_on_with_the_run(
    services: Services, connector_id: int, change: MakeChange, run: Run
) -> None:
    known(services, connector_id, 1, 9)
    take(services, connector_id, run, customer(change), *history(change, 1), last_id=1)
    with services.db.write() as session:
        assert lifecycle.give_back(session, run, run.lease_token or "")
    assert claim(services, connector_id) == []
    with services.db.write() as session:
        assert lifecycle.take(session, services.clock.now(), new_token()) is not None
    take(services, connector_id, run, *history(change, 9), last_id=9)
    [group] = claim(services, connector_id)
    assert len(group.deliveries) == 3


@pytest.mark.parametrize("act", [lifecycle.pause, cancelling.cancel])
def test_a_run_that_was_given_back_keeps_nobody_waiting_when_it_goes_on_no_more(
    services: Services, connector_id: int, change: MakeChange, run: Run, act: Callable[[Services, int], object]
) -> None:
    known(services, connector_id, 1, 9)
    take(services, connector_id, run, customer(change), *history(change, 1), last_id=1)
    with services.db.write() as session:
        assert lifecycle.give_back(session, run, run.lease_token or "")
    act(services, run.id)
    assert states(services) == (["ready", "waiting"] if act is lifecycle.pause else ["discarded"] * 2)


def test_a_killed_run_lets_go_in_the_sweep_that_closes_it(
    services: Services, connector_id: int, change: MakeChange, run: Run, clock: SetClock
) -> None:
    known(services, connector_id, 1, 9)
    take(services, connector_id, run, *history(change, 1), last_id=1)
    with services.db.write() as session:
        session.get_one(Run, run.id).lease_token = killed()
    schedule.sweep(services)
    assert len(claim(services, connector_id)) == 1


def test_a_cancelled_run_gives_up_what_it_gathered_and_keeps_what_is_live(
    services: Services, connector_id: int, change: MakeChange, run: Run
) -> None:
    known(services, connector_id, 1, 9)
    take(services, connector_id, run, change(1, origin=Origin.WEBHOOK), *history(change, 2), last_id=2)
    with services.db.write() as session:
        _ended(RunState.CANCELLED)(session, services, run)
    assert states(services) == ["ready", "discarded"]


def test_too_many_who_wait_are_let_go_the_oldest_first(
    services: Services, connector_id: int, change: MakeChange, run: Run
) -> None:
    people = [f"buyer{number}@example.com" for number in range(4)]
    for place, email in enumerate(people):
        known(services, connector_id, 100 + place, email=email)
        take(services, connector_id, run, change(place, email, kind=Kind.CONTACT, origin=Origin.INITIAL))
    with services.db.write() as session:
        assert outbox.sendable_count(session, connector_id, run.id, 9) == 0
        assert outbox.let_go(session, connector_id, run.id, most=3) == 3
    assert [group.person_key for group in claim(services, connector_id)] == [person_key_of(each) for each in people[:3]]


def test_very_many_are_let_go_by_parts(
    services: Services, connector_id: int, change: MakeChange, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_PART", 2)
    for place in range(5):
        known(services, connector_id, 100 + place, email=f"buyer{place}@example.com")
        one = change(place, f"buyer{place}@example.com", kind=Kind.CONTACT, origin=Origin.INITIAL)
        take(services, connector_id, run, one)
    outbox.let_go_by_parts(services.db, connector_id, run.id)
    assert len(claim(services, connector_id)) == 5


def test_what_can_be_sent_is_counted_without_those_who_are_gathered(
    services: Services, connector_id: int, change: MakeChange, run: Run
) -> None:
    known(services, connector_id, 9)
    take(services, connector_id, run, customer(change), *history(change, 1), last_id=1)
    bob, cyd = "bob@example.com", "cyd@example.com"
    take(services, connector_id, run, *history(change, 2, 3, email=bob), last_id=3)
    claim(services, connector_id)
    # Behind a live change of hers waits one that the run has read.
    with services.db.write() as session:
        outbox.accept(session, services.clock.now(), connector_id, [change(4, cyd)])
    take(services, connector_id, run, *history(change, 5, 6, email=cyd), last_id=6)
    with services.db.read() as session:
        counts = [outbox.sendable_count(session, connector_id, run.id, most) for most in (1, 2, 9)]
        assert counts == [1, 4, 4]
        assert outbox.open_count(session, run_id=run.id) == 6


def test_reading_goes_on_beside_gathered_people_until_there_are_too_many(
    services: Services, connector_id: int, change: MakeChange, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.pipeline.runs.page_intake.OPEN_MAX", 2)
    monkeypatch.setattr("integration.pipeline.runs.page_intake.GATHERED_MAX", 4)
    monkeypatch.setattr("integration.pipeline.runs.page_intake.LET_GO_MORE", 0)
    intake = _intake(services, connector_id, run)
    # It is told to stop as soon as it waits.
    monkeypatch.setattr(intake.stop, "wait", lambda seconds: intake.stop.set())
    for place in range(4):
        email = f"buyer{place}@example.com"
        known(services, connector_id, 100 + place, email=email)
        take(services, connector_id, run, change(place, email, kind=Kind.CONTACT, origin=Origin.INITIAL))
    intake._yield(1)
    assert not intake.stop.is_set()
    assert claim(services, connector_id) == []
    for place in range(4, 7):
        email = f"buyer{place}@example.com"
        known(services, connector_id, 100 + place, email=email)
        take(services, connector_id, run, change(place, email, kind=Kind.CONTACT, origin=Origin.INITIAL))
    intake._yield(1)
    assert intake.stop.is_set()
    assert len(claim(services, connector_id)) == 3


def _intake(services: Services, connector_id: int, run: Run) -> PageIntake:
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
    return PageIntake(services, connector, run, run.lease_token or "", threading.Event())
