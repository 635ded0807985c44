"""A person's own mapping rows on the whole road: asked of the store, kept, written once, and mended by a run."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from integration.errors import SettingError
from integration.models import Delivery, Drift, Run
from integration.operations import reconciliation
from integration.pipeline.connectors import connectors, field_list, mapping_versions
from integration.pipeline.ingest import webhooks
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.bench.world import World, world

EMAIL = "ada@example.com"
VAT = {"kind": "order", "alias": "position", "source": "meta_data._vat.number", "default": "none"}
LEVEL = {"kind": "contact", "alias": "company", "source": "meta_data._level", "format": "upper"}


@pytest.fixture
def shop() -> Iterator[World]:
    """A shop with one order and its customer, and a Mautic whose fields are known."""
    with world(**{"orders.create_fields": True}) as made:
        meta = [{"key": "_vat", "value": {"number": "IT1"}}]
        made.store.shop.place_order(status="completed", billing={"email": EMAIL, "first_name": "Ada"}, meta_data=meta)
        made.store.shop.register_customer(email=EMAIL, first_name="Ada", meta_data=[{"key": "_level", "value": "gold"}])
        field_list.refresh(made.services, made.connector(), made.services.open_mautic(made.connector()))
        yield made


def save(shop: World, *rows: dict[str, Any]) -> None:
    connectors.configure(shop.services, shop.connector_id, {"mapping.rows": list(rows)}, author="ada")


def run(shop: World, kind: str = "initial") -> Run:
    number = run_lifecycle.start(shop.services, shop.connector_id, kind, trigger="test", options={})
    shop.work()
    with shop.services.db.read() as session:
        return session.get_one(Run, number)


def value(shop: World, alias: str) -> Any:
    found = shop.mautic.state.contact(EMAIL)
    assert found is not None
    return found.values.get(alias)


def test_own_rows_are_written_once_and_a_new_row_by_the_next_full_run(shop: World) -> None:
    save(shop, VAT)
    run(shop)
    assert value(shop, "position") == "IT1"
    assert run(shop, "full").pushed == 0
    save(shop, VAT, LEVEL)
    assert run(shop, "full").pushed > 0
    assert (value(shop, "position"), value(shop, "company")) == ("IT1", "GOLD")
    assert run(shop, "full").pushed == 0


def test_a_webhook_brings_what_is_mapped(shop: World) -> None:
    save(shop, VAT)
    run(shop)
    client = shop.services.open_store(shop.connector())
    number = client.get("orders")[0][0]["id"]
    shop.store.shop.edit_order(number, meta_data=[{"key": "_vat", "value": {"number": "IT2"}}])
    with shop.services.db.write() as session:
        connector = session.merge(shop.connector())
        connector.secrets = shop.services.vault.seal({**shop.services.secrets(connector), "webhook_secret": "s"})
        path = connector.webhook_path
    body = json.dumps(client.get(f"orders/{number}")[0]).encode()
    signature = base64.b64encode(hmac.new(b"s", body, hashlib.sha256).digest()).decode()
    headers = {
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Signature": signature,
        "X-WC-Webhook-ID": "1",
        "X-WC-Webhook-Delivery-ID": "1",
    }
    assert webhooks.receive(shop.services, path, headers, body) == 200
    with shop.services.db.read() as session:
        newest = session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
    assert newest is not None
    assert dict(newest.payload or {})["mapped"] == {"meta_data._vat.number": "IT2"}
    shop.work()
    assert value(shop, "position") == "IT2"


def test_a_reconciliation_finds_what_differs_in_a_field_of_an_own_row(shop: World) -> None:
    save(shop, VAT, LEVEL)
    run(shop)
    contact = shop.mautic.state.contact(EMAIL)
    assert contact is not None
    contact.values["position"] = "changed"
    reconciliation.start(shop.services, shop.connector_id, trigger="test")
    shop.work()
    with shop.services.db.read() as session:
        [drift] = session.scalars(select(Drift))
    assert drift.kind == "differs"
    assert "position" in str(drift.detail)


def test_rows_are_checked_kept_as_versions_and_taken_up_again(shop: World) -> None:
    save(shop, VAT)
    save(shop, VAT, LEVEL)
    with pytest.raises(SettingError):
        save(shop, {**VAT, "alias": "no_such_field"})
    with shop.services.db.read() as session:
        newest, first = mapping_versions.listed(session, shop.connector_id)
        rows = mapping_versions.rows(mapping_versions.at(session, shop.connector_id, 1))
    assert (newest.version.number, newest.version.author, list(newest.changes)) == (2, "ada", ["contact → company"])
    assert first.changes == {"order → position": [None, "meta_data._vat.number, “none” when blank"]}
    assert [row.alias for row in rows] == ["position"]
    assert shop.services.modules(shop.connector()).mapping.rows[0].field_type == "text"
