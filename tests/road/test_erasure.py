"""A person who went through everything is erased: nothing of them is left in any table or file, whichever there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from integration.clock import SetClock
from integration.events import Kind
from integration.identity import person_key_of
from integration.models import (
    Alert,
    AlertGroup,
    AlertNotice,
    AuditAction,
    Base,
    Cart,
    CartEvent,
    Connector,
    Delivery,
    Drift,
    Erasure,
    FormerAddress,
    Gap,
    Hold,
    LedgerEntry,
    Reconciliation,
    Subscription,
)
from integration.models.delivery import DeliveryState
from integration.operations import audit, erasure
from integration.operations.support import application_log
from integration.operations.support.debug_capture import Capture
from integration.pipeline.ingest import blocked
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import with_observers
from integration.store import coupons as store_coupons
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]
WHO = "Zephyrine+Shop@quill.example"
FORMER = "zephyrine@former.example"
OTHER = "ada@example.com"
FIRST, LAST, PHONE, STREET = "Zephyrine", "Quillfeather-Müller", "+49 171 5550199", "Wunderweg 77b"
BILLING = {"first_name": FIRST, "last_name": LAST, "phone": PHONE, "address_1": STREET, "city": "Aachen"}
NEEDLES = ("zephyrine", "quillfeather", "5550199", "wunderweg")


def told(road: Road) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of every column of every table, and of every file of the instance folder."""
    with road.services.db.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                for name, value in row.items():
                    yield f"{table.name}.{name}", json.dumps(value, default=str, ensure_ascii=False)
    for path in road.services.deployment.instance_path.rglob("*"):
        if path.is_file():
            yield str(path), path.read_text(errors="replace")
    url = str(road.services.db.engine.url)
    if url.startswith("sqlite"):
        for suffix in ("", "-wal"):
            file = road.services.deployment.instance_path.parent / f"test.sqlite{suffix}"
            if file.exists():
                yield str(file), file.read_bytes().decode("utf-8", "replace")


def found(road: Road) -> set[str]:
    """Return where the person can be found."""
    return {where for where, said in told(road) if any(needle in said.casefold() for needle in NEEDLES)}


def noted(road: Road) -> None:
    """Quote the person wherever a text can: alerts, holds, gaps, drift, other people's records, the audit."""
    said = f"The record of {FIRST} {LAST} <{WHO}>, {STREET}, {PHONE} was refused."
    now, number = road.services.clock.now(), road.connector_id
    with road.services.db.write() as session:
        group = AlertGroup(organisation_id=1, name="Shop", created_at=now)
        alert = Alert(connector_id=number, cause="dead", sentence=said, hint=f"Look at {WHO.upper()}.", since=now)
        session.add_all([group, alert])
        session.flush()
        notice = {"what": "raised", "way": "email", "subject": said[:200], "body": said}
        session.add(AlertNotice(alert_group_id=group.id, alert_id=None, created_at=now, due_at=now, **notice))
        session.add(Gap(connector_id=number, cause="silent", topics=[], sentence=said, noticed_at=now, error=said))
        hold = {"code": "x", "sentence": said, "hint": said, "since": now, "probe_at": now, "released_at": now}
        session.add(Hold(connector_id=number, service="store", **hold))
        run = Reconciliation(connector_id=number, state="COMPLETED", created_at=now, ended_at=now, error=said)
        session.add(run)
        session.flush()
        detail = {"detail": {"email": [WHO, ""], STREET: [PHONE, LAST]}, "sentence": said, "found_at": now}
        drift = {"reconciliation_id": run.id, "connector_id": number, "kind": "differs", "person_key": "o" * 32}
        session.add(Drift(**drift, **detail))
        former = {"person_key": person_key_of(FORMER), "customer_id": 9, "now_key": person_key_of(WHO), "email": WHO}
        session.add(FormerAddress(connector_id=number, **former))
        stranger = session.scalars(select(Delivery).where(Delivery.person_key == person_key_of(OTHER))).first()
        assert stranger is not None
        stranger.payload = {**(stranger.payload or {}), "customer_note": f"A present for {FIRST} {LAST}, {STREET}"}
        for who in (1, None):
            audit.record(
                session,
                clock_now=now,
                organisation_id=who,
                actor=WHO,
                action=AuditAction.EDITED,
                entity=f"record of {WHO}",
                diff={"billing.email": [FORMER, WHO], "name": [None, LAST]},
            )
            audit.record(session, clock_now=now, organisation_id=who, actor="me", action=AuditAction.UPDATED)


def lived(make_road: MakeRoad, **settings: Any) -> Road:
    """Return a road on which the person has done everything: orders, a cart, the form, failures, debug mode."""
    road = make_road(SetClock(NOON), orders__general_tags="bought", **settings)
    plain = road.services
    capture = Capture(plain.deployment.instance_path / "logs", plain.clock)
    road = replace(road, services=with_observers(plain, capture.observer))
    now = road.services.clock.now()
    with road.services.db.write() as session:
        session.get_one(Connector, road.connector_id).debug_until = now + timedelta(days=1)
    road.order(WHO, billing=BILLING)
    road.order(OTHER)
    road.run("initial", payloads=True)
    road.arrive(road.order(WHO.lower(), billing={**BILLING, "address_2": "c/o " + STREET}))
    road.work()
    with road.services.db.write() as session:
        row = session.scalars(select(Delivery).where(Delivery.person_key == person_key_of(WHO))).first()
        assert row is not None
        session.add(
            Delivery(
                connector_id=road.connector_id,
                kind=Kind.ORDER,
                source_id="4711",
                event="completed",
                identity="order:4711:completed:x",
                person_key=row.person_key,
                origin="webhook",
                state=DeliveryState.DEAD,
                due_at=now,
                payload={"id": 4711, "billing": {**BILLING, "email": WHO}},
                corrections={"billing.phone": PHONE},
                payload_at=now,
                created_at=now,
                settled_at=now,
                error=f"{WHO} was refused.",
            )
        )
        cart = Cart(
            connector_id=road.connector_id,
            key="k1",
            source="script",
            email=WHO,
            person_key=person_key_of(WHO),
            consent={"wording": "yes"},
            created_at=now,
            changed_at=now,
            seen_at=now,
        )
        subscription = Subscription(
            connector_id=road.connector_id,
            state="sent",
            email=WHO,
            person_key=person_key_of(WHO),
            first_name=FIRST,
            last_name=LAST,
            consent_text="I agree.",
            source="page",
            ip="192.0.2.7",
            created_at=now,
        )
        session.add_all([cart, subscription])
        session.flush()
        session.add(CartEvent(cart_id=cart.id, at=now, text=f"{WHO} typed the address."))
    noted(road)
    log_file = application_log.log_file(road.services.deployment.instance_path / "logs")
    log_file.append({"at": now.isoformat(), "sentence": f"{WHO} was refused.", "connector": road.connector_id})
    log_file.append({"at": now.isoformat(), "sentence": "All is well.", "connector": road.connector_id})
    return road


def erased(road: Road, chosen: str = erasure.DELETE, *, block: bool = False) -> Erasure:
    """Erase the person and return the receipt."""
    asked = erasure.checked(f"  {WHO.upper()} ", None, chosen, block)
    number = erasure.ask(road.services, 1, asked, "admin@shop.example")
    assert erasure.work(road.services, number)
    with road.services.db.read() as session:
        return session.get_one(Erasure, number)


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
