"""A person who went through everything, the places where they can be found, and their erasure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

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
    Reconciliation,
    Subscription,
)
from integration.models.delivery import DeliveryState
from integration.operations import audit, erasure
from integration.operations.support import application_log
from integration.operations.support.debug_capture import Capture
from integration.pipeline.services import with_observers
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
