"""A person who went through everything is erased: nothing of them is left in any table or file, whichever there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from integration.clock import SetClock
from integration.identity import person_key_of
from integration.models import Cart, Connector, Delivery, Erasure, LedgerEntry, Subscription
from integration.models.delivery import DeliveryState
from integration.operations import audit, erasure
from integration.pipeline.ingest import blocked
from integration.pipeline.leases.tokens import new_token
from integration.store import coupons as store_coupons
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.whole_life import BILLING, NEEDLES, OTHER, WHO, MakeRoad, erased, found, lived


def test_nothing_is_left_of_the_person_anywhere(make_road: MakeRoad) -> None:
    road = lived(make_road)
    before = found(road)
    assert {"delivery.payload", "attempt.sent", "cart.email", "subscription.last_name", "audit_entry.diff"} <= before
    assert {"alert.sentence", "alert_notice.body", "hold.sentence", "gap.error", "drift.detail", "run.error"} <= before
    assert any("debug-" in where for where in before) and any("payloads" in where for where in before)
    row = erased(road)
    assert found(road) == set()
    assert row.ended_at is not None and row.traces is None and row.remains == []
    assert not [each for each in road.mautic.state.contacts.values() if each.values.get("email") != OTHER]
    assert row.counts["records"] >= 3 and row.counts["orders in the ledger"] == 2
    assert row.counts["payload files"] >= 1 and row.counts["exchanges of debug mode"] >= 1
    with road.services.db.read() as session:
        chains = audit.verify(session)
        assert all(chain.ok for chain in chains) and [chain.redacted for chain in chains] == [1, 1]
        kept = session.scalars(select(Subscription)).one()
        assert (kept.email, kept.ip, kept.consent_text, kept.person_key) == ("", "", "I agree.", person_key_of(WHO))
        stranger = session.scalars(select(LedgerEntry)).one()
        assert stranger.person_key == person_key_of(OTHER)
        receipt = erasure.as_text(row, "all connectors")
    assert "records:" in receipt and not any(needle in receipt.casefold() for needle in NEEDLES)
    assert "All is well." in (road.services.deployment.instance_path / "logs" / "app.log").read_text()


def test_the_contact_is_emptied_where_that_was_chosen(make_road: MakeRoad) -> None:
    road = lived(make_road)
    tags = [tag for each in road.mautic.state.contacts.values() for tag in road.mautic.state.tag_names(each)]
    row = erased(road, erasure.STRIP)
    contact = road.mautic.state.contact(WHO.lower()) or road.mautic.state.contact(WHO)
    assert contact is not None and tags
    assert (contact.values.get("firstname") or "", contact.values.get("address1") or "") == ("", "")
    assert road.mautic.state.tag_names(contact) == []
    assert row.in_systems[0]["contacts"] == 1


def test_a_blocked_person_is_not_taken_up_again(make_road: MakeRoad) -> None:
    road = lived(make_road)
    erased(road, block=True)
    with road.services.db.write() as session:
        # Debug mode writes down whatever the store answers, of everybody.
        session.get_one(Connector, road.connector_id).debug_until = None
    road.arrive(road.order(WHO, billing=BILLING))
    road.run("full")
    assert found(road) == set()
    mine = [each for each in road.deliveries() if each.error_code == blocked.BLOCKED.code]
    assert mine and {each.state for each in mine} == {"skipped"}
    assert len(road.mautic.state.contacts) == 1
    assert erasure.unblock(road.services, 1, WHO.lower())
    road.arrive(road.order(WHO, billing=BILLING))
    road.work()
    assert len(road.mautic.state.contacts) == 2


def test_somebody_who_is_not_blocked_comes_back_by_a_new_order(make_road: MakeRoad) -> None:
    road = lived(make_road)
    erased(road)
    road.arrive(road.order(WHO, billing=BILLING))
    road.work()
    assert len(road.mautic.state.contacts) == 2


def test_it_waits_for_a_record_on_its_way(make_road: MakeRoad) -> None:
    road = lived(make_road)
    now = road.services.clock.now()
    road.arrive(road.order(WHO, billing=BILLING))
    with road.services.db.write() as session:
        (row,) = session.scalars(select(Delivery).where(Delivery.state == DeliveryState.READY))
        row.state, row.lease_token, row.leased_until = DeliveryState.LEASED, new_token(), now + timedelta(minutes=5)
    number = erasure.ask(road.services, 1, erasure.checked(WHO, None, erasure.KEEP), "admin")
    assert not erasure.work(road.services, number)
    with road.services.db.read() as session:
        waiting = session.get_one(Erasure, number)
        assert waiting.state == "waiting" and "on its way" in waiting.error and not waiting.counts
    with road.services.db.write() as session:
        row = session.get_one(Delivery, row.id)
        row.state, row.lease_token, row.leased_until = DeliveryState.WAITING, None, None
    assert erasure.work(road.services, number)
    assert found(road) == set()


def test_a_killed_erasure_goes_on_where_it_stood(make_road: MakeRoad, monkeypatch: pytest.MonkeyPatch) -> None:
    road = lived(make_road)
    number = erasure.ask(road.services, 1, erasure.checked(WHO, None, erasure.DELETE), "admin")

    class Killed(BaseException):
        """The process ends here."""

    with monkeypatch.context() as patched:
        from integration.operations.erasure import files

        def kill(*_: object) -> None:
            raise Killed

        patched.setattr(files, "debug_lines", kill)
        with pytest.raises(Killed):
            erasure.work(road.services, number)
    assert not erasure.work(road.services, number), "its lease is held"
    with road.services.db.read() as session:
        counts = dict(session.get_one(Erasure, number).counts)
    road.services.clock.advance(minutes=3)  # type: ignore[attr-defined]
    assert erasure.tick(road.services) == 1
    with road.services.db.read() as session:
        row = session.get_one(Erasure, number)
    assert {name: row.counts[name] for name in counts} == counts
    assert found(road) == set()


def test_what_cannot_be_reached_is_tried_again_and_said_in_the_end(make_road: MakeRoad) -> None:
    road = lived(make_road)
    road.mautic.faults.status(500, path="/api/contacts", times=1000)
    number = erasure.ask(road.services, 1, erasure.checked(WHO, None, erasure.DELETE), "admin")
    assert not erasure.work(road.services, number)
    for _ in range(20):
        road.services.clock.advance(days=1)  # type: ignore[attr-defined]
        if erasure.tick(road.services):
            break
    with road.services.db.read() as session:
        row = session.get_one(Erasure, number)
    assert row.ended_at is not None and "not everything could be removed" in row.remains[0]
    assert found(road) == set()


def with_coupons(road: Road) -> list[int]:
    """Give the person two carts with coupons in the store; of the second one the store's answer was lost."""
    asked = [{"code": code, "discount_type": "percent", "amount": "10"} for code in ("recover-a", "recover-b")]
    with road.services.db.read() as session:
        client = road.services.open_store(session.get_one(Connector, road.connector_id))
    made = [row["id"] for row in store_coupons.write_coupons(client, asked)[0] if not isinstance(row, Exception)]
    now = road.services.clock.now()
    with road.services.db.write() as session:
        for each, number in zip(asked, (made[0], None), strict=True):
            whose = {"email": WHO, "person_key": person_key_of(WHO), "coupon_id": number, "coupon_code": each["code"]}
            moments = {"created_at": now, "changed_at": now, "seen_at": now}
            session.add(
                Cart(connector_id=road.connector_id, key=each["code"], source="script", **whose, **moments)  # type: ignore[arg-type]
            )
    return made


def test_coupons_go_also_one_that_the_store_never_confirmed(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON))
    with_coupons(road)
    row = erased(road, erasure.KEEP)
    assert road.store.state.coupons == {}
    assert row.in_systems[0]["coupons"] == 2 and row.remains == []


def test_the_receipt_names_coupons_that_the_store_cannot_tell_of(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON))
    first, second = with_coupons(road)
    with road.services.db.write() as session:
        session.execute(text("UPDATE cart SET coupon_id = :number WHERE coupon_id IS NULL"), {"number": second})
    road.store.faults.status(500, method="GET", path=r".*/coupons$")
    row = erased(road, erasure.KEEP)
    assert set(road.store.state.coupons) == {first, second}
    (remains,) = row.remains
    assert f"coupon {first}, {second}" in remains and row.in_systems[0]["coupons"] == 0


def test_whoever_alters_a_redacted_entry_is_found_out(make_road: MakeRoad) -> None:
    road = lived(make_road)
    erased(road)
    with road.services.db.write() as session:
        statement = "UPDATE audit_entry SET entity = 'record of (erased)!' WHERE entity LIKE 'record of%'"
        session.execute(text(statement))
    with road.services.db.read() as session:
        assert not any(chain.ok for chain in audit.verify(session))


def test_an_erasure_of_nobody_leaves_a_receipt(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON))
    assert erased(road, erasure.KEEP).counts == {}
