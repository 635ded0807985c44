"""The preview of an import: what is shown is what is sent, and nothing moves by looking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from integration.models import Connector, Delivery, Run
from integration.pipeline.connectors import connectors, field_list
from integration.pipeline.dry_run import preview
from integration.plans import Note
from tests.road.conftest import Road


def look(road: Road, module: str, **options: Any) -> preview.Preview:
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    return preview.of(road.services, connector, module, options)


def test_the_first_ten_orders_are_shown_as_they_are_sent(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__notes=True, orders__lifetime=False)
    for number in range(12):
        road.order(f"buyer{number}@example.com")
    road.order("pending@example.com", status="pending")
    found = look(road, "orders")
    assert (len(found.people), found.total, found.seconds) == (10, 12, None)
    assert (found.calls, found.store_calls) == (2, 1)
    assert road.writes() == 0
    with road.services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert session.scalar(select(func.count()).select_from(Run)) == 0
    first = found.people[0]
    assert first.write is not None and not first.exists
    [note] = [act for act in first.follow_ups if isinstance(act, Note)]
    road.run("full")
    contact = road.contact("buyer0@example.com")
    assert set(first.write.tags) == set(contact.tags)
    for alias, value in first.write.fields.items():
        assert str(contact.values.get(alias) or "") == str(value or ""), alias
    assert note.text in [each["text"] for each in road.mautic.state.notes.values()]
    again = look(road, "orders")
    assert {one.unchanged for one in again.people} == {True}
    assert (again.calls, again.people[0].follow_ups) == (0, [])


@pytest.mark.parametrize(("options", "total"), [({"since": "2199-01-01T00:00:00+00:00"}, 0), ({}, 1)])
def test_only_orders_of_the_time_are_counted(make_road: Callable[..., Road], options: dict, total: int) -> None:
    road = make_road()
    road.order("ada@example.com")
    assert look(road, "orders", **options).total == total


def test_a_preview_knows_the_own_rows_and_who_has_consented(make_road: Callable[..., Road]) -> None:
    road = make_road(consent__enabled=True, consent__customer_field="news", consent__order_field="news")
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    field_list.refresh(road.services, connector, road.services.open_mautic(connector))
    kinds = {"contacts": "contact", "orders": "order"}
    rows = [{"kind": kind, "alias": "company", "source": "meta_data._level"} for kind in kinds.values()]
    connectors.configure(road.services, road.connector_id, {"mapping.rows": rows})
    meta = [{"key": "news", "value": "yes"}, {"key": "_level", "value": "gold"}]
    road.store.shop.register_customer(email="ada@example.com", meta_data=meta)
    road.order("bob@example.com", meta_data=meta)
    for module in kinds:
        [person] = look(road, module).people
        assert (person.errors, person.skips) == ([], [])
        assert person.write is not None and person.write.fields["company"] == "gold"
