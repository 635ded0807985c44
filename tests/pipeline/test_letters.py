"""One open dead letter per record: a newer failure adds to it, any later success closes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from integration.clock import SetClock
from integration.events import Kind
from integration.models import Connector, RecordCount
from integration.models.delivery import DeliveryState
from integration.pipeline import outbox
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.queries import dead_letters
from integration.queries.dead_letter_causes import without_person
from tests.conftest import NOON
from tests.pipeline import rows
from tests.pipeline.conftest import MakeChange, accept, claim, settle
from tests.pipeline.dead_letters import kill, requeue, row

SUCCESSES = {
    "written": {"state": DeliveryState.DELIVERED, "result": "updated"},
    "written but for a note": {"state": DeliveryState.DELIVERED, "result": "updated", "partial": True},
    "found unchanged": {"state": DeliveryState.SKIPPED, "result": "skipped", "error_code": "unchanged"},
    "kept as somebody had it": {"state": DeliveryState.CONFLICT, "error_code": "conflict"},
}


def waiting(services: Services, connector_id: int) -> int:
    with services.db.read() as session:
        return dead_letters.waiting(session, connector_id)


def counted(services: Services, connector_id: int) -> dict[str, int]:
    query = select(RecordCount.state, func.sum(RecordCount.records)).where(RecordCount.connector_id == connector_id)
    with services.db.read() as session:
        found = session.execute(query.group_by(RecordCount.state)).tuples()
        return {state: int(number) for state, number in found if number}


def deliveries(services: Services, connector_id: int, token: str) -> list[LeasedDelivery]:
    return [leased for group in claim(services, connector_id, 50, token) for leased in group.deliveries]


def test_a_record_that_fails_again_and_again_is_one_letter(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    died = []
    for number in range(4):
        accept(services, connector_id, change(1, minutes=number))
        died += kill(services, connector_id)
        clock.advance(hours=1)
    newest = row(services, died[-1])
    assert waiting(services, connector_id) == 1
    assert (newest.state, newest.failures, newest.failing_since) == ("dead", 4, NOON)
    assert newest.died_at == NOON + timedelta(hours=3)
    assert [row(services, key).state for key in died[:-1]] == ["closed"] * 3
    assert row(services, died[2]).closed_by == died[3]
    assert counted(services, connector_id) == {"dead": 1, "closed": 3}


def test_records_of_other_kinds_and_ids_have_letters_of_their_own(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1), change(2), change(1, kind=Kind.CONTACT, event="updated"))
    assert len(kill(services, connector_id)) == 3
    assert waiting(services, connector_id) == 3


def test_two_failures_in_one_batch_are_one_letter(services: Services, connector_id: int, change: MakeChange) -> None:
    accept(services, connector_id, change(1, event="processing"), change(1, event="completed", minutes=1))
    first, second = kill(services, connector_id)
    assert [row(services, key).state for key in (first, second)] == ["closed", "dead"]
    assert (row(services, second).failures, row(services, first).closed_by) == (1, second)


@pytest.mark.parametrize("success", SUCCESSES.values(), ids=list(SUCCESSES))
def test_any_later_success_closes_the_letter(
    services: Services, connector_id: int, change: MakeChange, success: dict[str, object]
) -> None:
    accept(services, connector_id, change(1))
    (dead,) = kill(services, connector_id)
    accept(services, connector_id, change(1, minutes=5))
    token = new_token()
    (leased,) = deliveries(services, connector_id, token)
    settle(services, connector_id, token, Outcome(leased.id, **success))  # type: ignore[arg-type]  # fields of an outcome
    assert (row(services, dead).state, row(services, dead).closed_by, row(services, dead).payload) == (
        "closed",
        leased.id,
        None,
    )
    assert waiting(services, connector_id) == 0


def test_a_skip_for_another_reason_is_no_success(services: Services, connector_id: int, change: MakeChange) -> None:
    accept(services, connector_id, change(1))
    kill(services, connector_id)
    accept(services, connector_id, change(1, minutes=5))
    token = new_token()
    (leased,) = deliveries(services, connector_id, token)
    settle(services, connector_id, token, Outcome(leased.id, DeliveryState.SKIPPED, "skipped", error_code="module_off"))
    assert waiting(services, connector_id) == 1


def test_a_success_behind_a_failure_of_the_same_batch_closes_it(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1, event="processing"), change(1, event="completed", minutes=1))
    token = new_token()
    first, second = deliveries(services, connector_id, token)
    failed = Outcome(first.id, DeliveryState.DEAD, error_code="refused", message="No.", category="permanent")
    settle(services, connector_id, token, failed, Outcome(second.id, DeliveryState.DELIVERED, "updated"))
    assert [row(services, leased.id).state for leased in (first, second)] == ["closed", "delivered"]


def test_a_letter_that_is_sent_again_and_fails_again_counts_on(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    (dead,) = kill(services, connector_id)
    clock.advance(hours=2)
    requeue(services, connector_id, [dead])
    assert kill(services, connector_id) == [dead]
    again = row(services, dead)
    assert (again.state, again.failures, again.failing_since) == ("dead", 2, NOON)


def test_a_cancelled_replay_leaves_one_letter_where_a_newer_one_came(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    accept(services, connector_id, change(1))
    (dead,) = kill(services, connector_id)
    run_id = run_lifecycle.start(services, connector_id, "replay", trigger="test")
    requeue(services, connector_id, [dead], run_id)
    (newer,) = rows.store(services, rows.delivery(connector_id, "1", "dead", error_code="refused"))
    cancelling.cancel(services, run_id)
    assert [row(services, key).state for key in (dead, newer.id)] == ["closed", "dead"]


def test_the_database_itself_lets_no_second_letter_in(services: Services, connector_id: int) -> None:
    rows.store(services, rows.delivery(connector_id, "1", "dead", 0))
    with pytest.raises(IntegrityError):
        rows.store(services, rows.delivery(connector_id, "1", "dead", 5))


def test_sending_again_reads_the_fields_of_mautic_anew(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).fields_at = clock.now()
    accept(services, connector_id, change(1))
    (dead,) = kill(services, connector_id)
    assert requeue(services, connector_id, [dead]) == outbox.Requeued(queued=1)
    with services.db.read() as session:
        assert session.get_one(Connector, connector_id).fields_at is None


@pytest.mark.parametrize(
    ("sentence", "cause"),
    [
        ("“ada@x” is not an e-mail address. Correct it.", "“…” is not an e-mail address. Correct it."),
        ("Mautic cannot hold the e-mail address jörg@x.example: it drops some.", "“…”"),
        ("Several contacts (4, 9) have <ada+1@shop.example>.", "Several contacts (4, 9) have <“…”>."),
        ("The e-mail address has 80 characters, Mautic's field holds 64.", "The e-mail address has 80 characters,"),
    ],
)
def test_a_cause_names_nobody(sentence: str, cause: str) -> None:
    shown = without_person(sentence)
    assert cause in shown
    assert "@" not in shown


@pytest.mark.parametrize("counted", [10_000, 2], ids=["few", "very many"])
def test_letters_between_two_moments_are_listed_newest_first_and_paged(
    services: Services, connector_id: int, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr(dead_letters, "COUNTED_ROWS_MAX", counted)
    for number in range(20):
        # The older half came first and failed last, as what was sent again does.
        values = {"kind": "order" if number % 2 else "contact", "died_at": NOON + timedelta(hours=(number + 10) % 20)}
        rows.store(services, rows.delivery(connector_id, str(number), "dead", **values))
    query = DeadQuery(connector_id=connector_id, kind="order")
    begin, end = NOON + timedelta(hours=5), NOON + timedelta(hours=15)
    query = query.model_copy(update={"since": begin, "until": end, "limit": 3})
    found: list[int] = []
    with services.db.read() as session:
        total = dead_letters.read_page(session, query).total
        while True:
            page = dead_letters.read_page(session, query)
            found += [int(each.source_id) for each in page.records]
            if page.older is None:
                break
            query = query.model_copy(update={"before": page.older})
    assert found == [19, 17, 15, 3, 1]
    assert total == ((5, True) if counted > 5 else (counted, False))
