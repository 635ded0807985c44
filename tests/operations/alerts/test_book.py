"""The book of alerts: one message when a cause begins, one when it has ended, and none in between (F3, X18)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from integration.models import Alert, AlertGroup
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import evaluation, silence
from tests.operations.alerts.conftest import MakeGroup, Watch, make_connector


def test_a_cause_is_told_once_when_it_begins_and_once_when_it_has_ended(shop: Watch, group: MakeGroup) -> None:
    group(emails="ada@example.com", webhook="https://chat.example.com/hook")
    shop.hold()
    assert shop.look(minutes=1) == 0
    assert shop.look(minutes=1) == 1
    for _ in range(3):
        assert shop.look(minutes=1) == 0
    assert shop.told == [("raised", "email"), ("raised", "webhook")]
    shop.release()
    shop.look(minutes=1)
    assert shop.open == []
    assert shop.told[2:] == [("recovered", "email"), ("recovered", "webhook")]
    assert shop.look(minutes=30) == 0
    assert len(shop.told) == 4


def test_what_ends_and_begins_again_at_once_is_one_alert(shop: Watch, group: MakeGroup) -> None:
    group()
    shop.hold()
    shop.look(minutes=3)
    for _ in range(3):
        shop.release()
        shop.look(minutes=1)
        assert shop.told == [("raised", "email"), ("recovered", "email")]
        shop.hold()
        shop.look(minutes=3)
        assert (len(shop.alerts), shop.open, shop.told) == (1, ["held_mautic"], [("raised", "email")])
    shop.release()
    shop.look(minutes=1)
    shop.clock.advance(minutes=11)
    shop.hold()
    shop.look(minutes=3)
    assert len(shop.alerts) == 2
    assert shop.told == [("raised", "email"), ("recovered", "email"), ("raised", "email")]


def test_the_end_is_told_when_it_has_lasted(shop: Watch, group: MakeGroup) -> None:
    group()
    shop.hold()
    shop.look(minutes=3)
    shop.release()
    shop.look(minutes=1)
    raised, recovered = shop.notices
    assert raised.due_at == raised.created_at
    assert (recovered.due_at - recovered.created_at).total_seconds() == 600


def test_two_processes_tell_once(shop: Watch, group: MakeGroup) -> None:
    group()
    shop.hold()
    shop.hold("store")
    shop.clock.advance(minutes=3)
    shop.beat()
    start = threading.Barrier(2)

    def process() -> None:
        start.wait()
        alerts.evaluate(shop.services)

    threads = [threading.Thread(target=process) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(shop.open) == ["held_mautic", "held_store"]
    assert shop.told == [("raised", "email")] * 2


def test_a_worker_that_beats_while_a_look_waits_for_its_turn_to_write_is_not_missed(
    shop: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*args: Any) -> None:
        shop.clock.advance(minutes=2)
        shop.beat()
        written(*args)

    shop.hold()
    shop.clock.advance(minutes=3)
    shop.beat()
    written = evaluation._write
    monkeypatch.setattr(evaluation, "_write", write)
    alerts.evaluate(shop.services)
    assert shop.open == ["held_mautic"]


@pytest.mark.parametrize("cause", ["held_mautic", silence.EVERY])
def test_nobody_is_told_while_there_is_silence(shop: Watch, group: MakeGroup, cause: str) -> None:
    group()
    with shop.services.db.write() as session:
        silence.begin(session, shop.clock.now(), shop.connector_id, cause, 1, "ada@example.com")
    shop.hold()
    shop.look(minutes=3)
    assert (shop.open, shop.told) == (["held_mautic"], [])
    shop.release()
    shop.look(minutes=3)
    assert (shop.open, shop.told) == ([], [])


def test_what_lasts_longer_than_the_silence_is_told_then(shop: Watch, group: MakeGroup) -> None:
    group()
    with shop.services.db.write() as session:
        silence.begin(session, shop.clock.now(), shop.connector_id, "held_mautic", 1, "ada@example.com")
    shop.hold()
    shop.look(minutes=59)
    assert shop.told == []
    shop.look(minutes=2)
    assert shop.told == [("raised", "email")]


def test_the_end_of_what_was_told_is_told_also_in_silence(shop: Watch, group: MakeGroup) -> None:
    group()
    shop.hold()
    shop.look(minutes=3)
    with shop.services.db.write() as session:
        silence.begin(session, shop.clock.now(), shop.connector_id, "held_mautic", 8, "ada@example.com")
    shop.release()
    shop.look(minutes=1)
    assert shop.told == [("raised", "email"), ("recovered", "email")]


def test_a_silence_that_was_ended_is_over(shop: Watch, group: MakeGroup) -> None:
    group()
    with shop.services.db.write() as session:
        silence.begin(session, shop.clock.now(), shop.connector_id, "held_mautic", 8, "ada@example.com")
    shop.hold()
    shop.look(minutes=3)
    with shop.services.db.write() as session:
        assert silence.end(session, shop.connector_id, "held_mautic") is not None
        assert silence.end(session, shop.connector_id, "held_mautic") is None
    shop.look(seconds=30)
    assert shop.told == [("raised", "email")]


def test_a_group_hears_of_what_it_has_chosen_only(shop: Watch, group: MakeGroup) -> None:
    second = make_connector(shop.services, "Tulip")
    first, other, cause = (
        group(name="first", connector_ids=[str(shop.connector_id)]),
        group(name="other", connector_ids=[str(second)]),
        group(name="cause", causes=["dead_letters"]),
    )
    shop.hold()
    shop.look(minutes=3)
    assert [notice.alert_group_id for notice in shop.notices] == [first]
    shop.hold(connector_id=second)
    shop.look(minutes=3)
    assert [notice.alert_group_id for notice in shop.notices] == [first, other]
    assert cause not in (first, other)


def test_another_organisation_is_told_nothing(shop: Watch, group: MakeGroup) -> None:
    from integration.models import Organisation

    shop.add(Organisation(id=2, name="Other Ltd", created_at=shop.clock.now()))
    group(organisation_id=2)
    shop.hold()
    shop.look(minutes=3)
    assert (shop.open, shop.told) == (["held_mautic"], [])


def test_a_new_group_is_told_what_is_wrong_now(shop: Watch, group: MakeGroup) -> None:
    shop.hold()
    shop.look(minutes=3)
    assert shop.told == []
    group()
    shop.look(seconds=30)
    assert shop.told == [("raised", "email")]


def test_messages_go_with_their_group(shop: Watch, group: MakeGroup) -> None:
    number = group()
    shop.hold()
    shop.look(minutes=3)
    with shop.services.db.write() as session:
        session.delete(session.get_one(AlertGroup, number))
    assert shop.told == []
    assert [alert.cause for alert in alerts_of(shop)] == ["held_mautic"]


def alerts_of(shop: Watch) -> list[Alert]:
    with shop.services.db.read() as session:
        return list(alerts.open_alerts(session, shop.connector_id))
