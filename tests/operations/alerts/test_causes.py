"""What is found wrong, each cause from its rows, and when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from integration.models import (
    Alert,
    Connector,
    Delivery,
    Drift,
    Gap,
    Heartbeat,
    Hold,
    Organisation,
    Reconciliation,
    Run,
    RunKind,
    RunState,
    Schedule,
)
from integration.operations.monitoring import alerts
from integration.pipeline import usage
from integration.pipeline.connectors import connectors
from integration.sandbox.authority import Authority
from tests.operations.alerts.conftest import Watch, make_connector
from tests.operations.alerts.shop_changes import change, late, run, scheduled
from tests.pipeline.rows import delivery


def only(shop: Watch) -> Alert:
    (alert,) = (each for each in shop.alerts if each.ended_at is None)
    return alert


@pytest.mark.parametrize("service", ["mautic", "store"])
def test_a_hold_is_told_with_its_reason_when_it_lasts(shop: Watch, service: str) -> None:
    begun = shop.clock.now()
    shop.hold(service)
    shop.look(seconds=119)
    assert shop.open == []
    shop.look(seconds=1)
    alert = only(shop)
    assert (alert.cause, alert.since) == (f"held_{service}", begun)
    assert (alert.sentence, alert.hint) == ("Mautic refused the connection.", "Check that the server runs.")
    change(shop, update(Hold).values(sentence="Mautic refused the password."))
    shop.look(seconds=30)
    assert only(shop).sentence == "Mautic refused the password."


def test_the_thresholds_are_the_connectors_own(shop: Watch) -> None:
    connectors.configure(
        shop.services, shop.connector_id, {"alerts.failing_percent": "50", "alerts.failing_least": "4"}
    )
    with shop.services.db.write() as session:
        usage.record(session, shop.connector_id, shop.clock.now(), pushed=2, failed=2)
    shop.look(minutes=1)
    assert shop.open == []
    with shop.services.db.write() as session:
        usage.record(session, shop.connector_id, shop.clock.now(), failed=1)
    shop.look(minutes=1)
    assert only(shop).sentence == "3 of the last 5 records failed, more than 50 in a hundred."


def test_dead_letters_above_the_number(shop: Watch) -> None:
    shop.add(delivery(shop.connector_id, "1", "dead"), delivery(shop.connector_id, "2"))
    shop.look(minutes=1)
    assert only(shop).sentence == "1 record has failed for good and waits for a person."
    connectors.configure(shop.services, shop.connector_id, {"alerts.dead_letters": "1"})
    shop.look(minutes=1)
    assert shop.open == []
    shop.add(delivery(shop.connector_id, "3", "dead"))
    shop.look(minutes=1)
    assert only(shop).sentence == "2 records have failed for good and wait for a person."
    change(shop, update(Delivery).values(state="discarded"))
    shop.look(minutes=1)
    assert shop.open == []


def test_no_sync_for_three_periods(shop: Watch) -> None:
    run(shop)
    since = shop.clock.now()
    shop.clock.advance(minutes=5)
    run(shop, state="PENDING")
    scheduled(shop)
    shop.look(minutes=15)
    assert shop.open == []
    scheduled(shop)
    shop.look(seconds=30)
    alert = only(shop)
    assert (alert.cause, alert.since) == ("no_sync", since)
    assert alert.sentence == "No sync has ended well for more than 3 periods of its schedule."
    change(shop, update(Run).values(state="COMPLETED", ended_at=shop.clock.now()))
    shop.look(seconds=30)
    assert shop.open == []


def test_a_crontab_is_late_after_three_of_its_dates(shop: Watch) -> None:
    connectors.configure(shop.services, shop.connector_id, {"sync.cron": "0 * * * *"})
    run(shop)
    shop.clock.advance(minutes=5)
    run(shop, state="PENDING")
    scheduled(shop)
    shop.look(hours=2, minutes=54)
    assert shop.open == []
    scheduled(shop)
    shop.look(minutes=2)
    assert shop.open == ["no_sync"]


def test_a_store_that_was_never_read_is_late_too(shop: Watch) -> None:
    run(shop, state="PENDING")
    scheduled(shop)
    shop.look(minutes=16)
    scheduled(shop)
    shop.look(seconds=30)
    assert shop.open == ["no_sync"]


def test_a_failed_run_until_a_later_one_goes_well(shop: Watch) -> None:
    run(shop, RunKind.FULL)
    run(shop, RunKind.INCREMENTAL, RunState.FAILED)
    shop.look(seconds=30)
    alert = only(shop)
    assert (alert.cause, alert.sentence) == ("run_failed", "The last incremental run failed: The store closed.")
    run(shop, RunKind.BULK)
    shop.look(minutes=1)
    assert shop.open == ["run_failed"]
    run(shop, RunKind.INCREMENTAL)
    shop.look(minutes=1)
    assert shop.open == []


def test_a_full_run_makes_up_for_a_failed_import(shop: Watch) -> None:
    run(shop, RunKind.INITIAL, RunState.FAILED)
    shop.look(days=6)
    assert "run_failed" in shop.open
    shop.look(days=20)
    assert "run_failed" in shop.open, "time alone mends nothing"
    run(shop, RunKind.FULL)
    shop.look(minutes=1)
    assert "run_failed" not in shop.open


def test_no_worker_is_told_once_for_all_connectors(shop: Watch) -> None:
    second = make_connector(shop.services, "Tulip")
    shop.add(Organisation(id=2, name="Other Ltd", created_at=shop.clock.now()))
    other = make_connector(shop.services, "Rose", organisation_id=2)
    begun = shop.clock.now()
    shop.clock.advance(minutes=3)
    alerts.evaluate(shop.services)
    down = [(each.connector_id, each.cause, each.since) for each in shop.alerts]
    assert down == [(shop.connector_id, "worker_down", begun), (other, "worker_down", begun)]
    assert second not in (shop.connector_id, other)
    shop.look(minutes=1)
    assert shop.open == []


def test_a_dead_worker_explains_that_there_is_no_sync(shop: Watch) -> None:
    late(shop)
    change(shop, delete(Heartbeat))
    alerts.evaluate(shop.services)
    assert shop.open == ["worker_down"]
    shop.beat()
    alerts.evaluate(shop.services)
    assert shop.open == ["no_sync"]
    change(shop, delete(Heartbeat))
    alerts.evaluate(shop.services)
    assert sorted(shop.open) == ["no_sync", "worker_down"], "what was told before is not over"


def reconciliation(shop: Watch, **counts: int) -> int:
    now = shop.clock.now()
    row = Reconciliation(
        connector_id=shop.connector_id, trigger="nightly", state="COMPLETED", created_at=now, ended_at=now, **counts
    )
    return int(shop.add(row)[0].id)


def test_drift_until_it_is_repaired(shop: Watch) -> None:
    number = reconciliation(shop, missing=1, surplus=5)
    values = {"reconciliation_id": number, "connector_id": shop.connector_id, "found_at": shop.clock.now()}
    shop.add(Drift(kind="missing", person_key="a", **values), Drift(kind="surplus", person_key="b", **values))
    shop.look(minutes=1)
    assert only(shop).sentence == (
        "The last reconciliation found that 1 person is not the same in the store and in Mautic."
    )
    change(shop, update(Drift).where(Drift.kind == "missing").values(repaired_at=shop.clock.now()))
    shop.look(minutes=1)
    assert shop.open == [], "what is surplus cannot be repaired"


def test_a_later_reconciliation_without_drift_ends_it(shop: Watch) -> None:
    number = reconciliation(shop, differs=2)
    values = {"reconciliation_id": number, "connector_id": shop.connector_id, "found_at": shop.clock.now()}
    shop.add(Drift(kind="differs", person_key="a", **values))
    shop.look(minutes=1)
    assert shop.open == ["drift"]
    reconciliation(shop)
    shop.look(minutes=1)
    assert shop.open == []


def test_webhooks_that_cannot_be_healed(shop: Watch) -> None:
    now = shop.clock.now()
    gap = Gap(
        connector_id=shop.connector_id,
        cause="paused",
        topics=["order.updated"],
        sentence="The webhook is paused.",
        since=now - timedelta(hours=1),
        noticed_at=now,
        error="Switch it on.",
    )
    shop.add(gap)
    shop.look(minutes=1)
    assert shop.open == []
    shop.look(minutes=2)
    alert = only(shop)
    assert (alert.cause, alert.sentence, alert.hint) == ("webhook_gap", "The webhook is paused.", "Switch it on.")
    change(shop, update(Gap).values(healed_at=shop.clock.now()))
    shop.look(minutes=1)
    assert shop.open == []


def test_a_connector_that_is_not_set_up_is_left_alone(shop: Watch) -> None:
    change(shop, update(Connector).values(store_url=""))
    run(shop, state="PENDING")
    change(shop, delete(Heartbeat))
    shop.clock.advance(days=1)
    scheduled(shop)
    assert alerts.evaluate(shop.services) == 0
    assert shop.alerts == []


def test_an_authority_is_told_of_a_month_before_it_ends_until_it_is_replaced(shop: Watch) -> None:
    now = shop.clock.now()
    begins, ends = now - timedelta(days=1), now + timedelta(days=31)
    connectors.connect(shop.services, shop.connector_id, store_ca=Authority("Shop CA", begins=begins, ends=ends).pem)
    shop.look(minutes=1)
    assert shop.open == []
    change(shop, delete(Schedule))
    shop.look(days=2)
    alert = only(shop)
    assert alert.cause == "authority_ends"
    assert alert.sentence.startswith("The authority “Shop CA”, by which the store is trusted, is valid until ")
    connectors.connect(shop.services, shop.connector_id, store_ca="")
    shop.look(minutes=1)
    assert shop.open == []
