"""A connector is uninstalled: what is ours leaves the store, our data goes, Mautic is not touched."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.models import AuditAction, AuditEntry, Cart, Connector, Delivery
from integration.models.consent import ConsentEntry
from integration.operations import audit
from integration.operations.retention import uninstall as leaving
from integration.operations.retention.uninstall import Uninstalled
from integration.pipeline.connectors import webhook_registration
from integration.store import coupons
from integration.web.tools import takeaway
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]


def settled(make_road: MakeRoad) -> Road:
    """Return a road with registered webhooks, a synced order, and two carts with coupons, one of them used."""
    road = make_road(SetClock(NOON))
    webhook_registration.register(road.services, road.connector_id)
    road.order("ada@example.com")
    road.run("initial")
    connector = connector_of(road)
    assert connector is not None
    client = road.services.open_store(connector)
    asked = [{"code": f"recover-{n}", "discount_type": "percent", "amount": "10"} for n in "ab"]
    made = [row["id"] for row in coupons.write_coupons(client, asked)[0] if not isinstance(row, Exception)]
    road.store.state.coupons[made[1]]["usage_count"] = 1
    with road.services.db.write() as session:
        for place, number in enumerate(made):
            session.add(
                Cart(
                    connector_id=road.connector_id,
                    key=f"k{place}",
                    source="script",
                    coupon_id=number,
                    coupon_code=asked[place]["code"],
                    created_at=NOON,
                    changed_at=NOON,
                    seen_at=NOON,
                )
            )
    return road


def connector_of(road: Road) -> Connector | None:
    with road.services.db.read() as session:
        return session.get(Connector, road.connector_id)


def uninstalled(road: Road, **options: Any) -> Uninstalled:
    def noted(session: Session, done: Uninstalled) -> None:
        values = {"clock_now": NOON, "organisation_id": 1, "actor": "me", "entity": f"connector {done.name}"}
        audit.record(session, action=AuditAction.UNINSTALLED, diff=done.diff, **values)  # type: ignore[arg-type]

    return leaving.uninstall(road.services, road.connector_id, audit=noted, **options)


def audited(road: Road) -> list[dict[str, Any]]:
    with road.services.db.read() as session:
        wanted = select(AuditEntry.diff).where(AuditEntry.action == AuditAction.UNINSTALLED).order_by(AuditEntry.id)
        return list(session.scalars(wanted))


def test_webhooks_and_coupons_leave_the_store_and_all_rows_go(make_road: MakeRoad) -> None:
    road = settled(make_road)
    contacts = len(road.mautic.state.contacts)
    calls = len(road.mautic.calls)
    done = uninstalled(road)
    assert (done.left.webhooks, done.left.coupons, done.left.remains) == (7, 1, [])
    assert done.left.stays == ["The coupon recover-b: an order has used it."]
    assert [row["code"] for row in road.store.state.coupons.values()] == ["recover-b"]
    assert not road.store.state.webhooks
    assert connector_of(road) is None and not road.deliveries()
    assert (len(road.mautic.state.contacts), len(road.mautic.calls)) == (contacts, calls)
    assert audited(road)[0]["coupons"] == [None, 1]


def test_a_store_that_is_away_keeps_the_connector_until_it_is_tried_again(make_road: MakeRoad) -> None:
    road = settled(make_road)
    road.store.faults.status(503)
    done = uninstalled(road)
    assert done.deleted is None
    assert any("order.created" in sentence for sentence in done.left.remains)
    assert "The coupon recover-a." in done.left.remains
    kept = connector_of(road)
    assert kept is not None and kept.state == "paused"
    road.store.faults.clear()
    road.services.breakers.of(road.connector_id, "store").close()
    assert uninstalled(road).deleted is not None
    assert connector_of(road) is None
    assert [bool(diff["remains"][1]) for diff in audited(road)] == [True, False]


def test_our_data_can_go_although_something_remains(make_road: MakeRoad) -> None:
    road = settled(make_road)
    road.store.faults.status(503)
    done = uninstalled(road, anyway=True)
    assert done.deleted is not None and done.left.remains
    assert connector_of(road) is None


def test_everything_can_be_taken_away_before(make_road: MakeRoad) -> None:
    road = settled(make_road)
    connector = connector_of(road)
    assert connector is not None
    with road.services.db.write() as session:
        said = {"state": "given", "source": "order", "ref": "7", "wording": "Send me news", "mark": "m"}
        who = {"email": "ada@example.com", "person_key": "k", "said_at": NOON, "created_at": NOON}
        session.add(ConsentEntry(connector_id=connector.id, **said, **who))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(takeaway.zipped(road.services, connector))))
    assert archive.testzip() is None
    lists = {"records.jsonl", "carts.jsonl", "subscriptions.jsonl", "consents.jsonl"}
    assert set(archive.namelist()) == {"settings.json", "sync-log.csv", *lists}
    settings = archive.read("settings.json").decode()
    assert json.loads(settings)["name"] == "Shop" and "consumer" not in settings
    lines = [json.loads(line) for line in archive.read("records.jsonl").decode().splitlines()]
    with road.services.db.read() as session:
        assert [line["id"] for line in lines] == list(session.scalars(select(Delivery.id).order_by(Delivery.id)))
    assert "create_or_update" in archive.read("sync-log.csv").decode()
    [evidence] = [json.loads(line) for line in archive.read("consents.jsonl").decode().splitlines()]
    assert (evidence["email"], evidence["wording"]) == ("ada@example.com", "Send me news")
    assert evidence["said_at"] == str(NOON)
