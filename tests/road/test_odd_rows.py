"""Rows of the store with any value in place of any other: a whole run ends, and says of each row what became of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from integration.models import RunLine
from tests.road.conftest import Road
from tests.road.store_lists import answer_with

HUGE = "x" * 200_000
ODD: list[Any] = [None, False, True, "", [], {}, 0, "0", -1, 1.5, HUGE, "0000-00-00 00:00:00", "-0001-11-30T00:00:00"]


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value of a record, one entry of each list standing for all."""
    if before:
        yield before
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*before, name))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*before, 0))


def changed(row: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(row))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return copy


def turned(value: Any) -> Any:
    """Return a list as PHP's map and a map as PHP's list, another value in a list."""
    if isinstance(value, list):
        return {str(number): entry for number, entry in enumerate(value)}
    return list(value.values()) if isinstance(value, dict) else [value]


def at(row: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        row = row[name]
    return row


def variants(row: Any) -> list[Any]:
    """Return the row with each of its values replaced by each odd one, and by itself in another shape."""
    return [changed(row, path, value) for path in paths(row) for value in [*ODD, turned(at(row, path))]]


def _second(entry: Any, rows: list[Any]) -> list[Any]:
    """Return the rows with this entry in the place of the second."""
    return [entry if number == 1 else row for number, row in enumerate(rows)]


def lines(road: Road, run_id: int) -> list[str]:
    with road.services.db.read() as session:
        query = select(RunLine.text).where(RunLine.run_id == run_id, RunLine.level == "error")
        return list(session.scalars(query.order_by(RunLine.id)))


@pytest.mark.parametrize(
    ("kind", "end"), [("full", "/orders"), ("full", "/customers"), ("incremental", "/orders"), ("initial", "/orders")]
)
def test_no_value_of_a_row_ends_a_run_or_loses_a_neighbour(make_road: Callable[..., Road], kind: str, end: str) -> None:
    road = make_road()
    chance = random.Random(f"{kind}{end}")
    what = "orders" if end == "/orders" else "contacts"
    for number in range(3):
        road.order(f"p{number}@example.com")
        road.store.shop.register_customer(email=f"c{number}@example.com", first_name="Ada")
    sample: list[Any] = []

    def keep(rows: list[Any]) -> list[Any]:
        sample.extend(rows)
        return rows

    answer_with(road, end, keep)
    assert road.run(kind, only=[what]).state == "COMPLETED"
    for row in chance.sample(variants(sample[1]), 25):
        answer_with(road, end, partial(_second, row))
        run = road.run(kind, only=[what])
        assert run.state == "COMPLETED", (run.error, str(row)[:300])
        known = {delivery.source_id for delivery in road.deliveries()}
        assert {str(each["id"]) for each in (sample[0], sample[2])} <= known


@pytest.mark.parametrize("entry", [None, "text", [], {}, {"id": None}, {"id": "x"}, {"id": True}, {"id": 2**70}])
@pytest.mark.parametrize("end", ["/orders", "/customers"])
def test_a_row_that_nobody_can_tell_apart_is_said_and_its_neighbours_are_taken(
    make_road: Callable[..., Road], end: str, entry: Any
) -> None:
    road = make_road()
    for number in range(3):
        road.order(f"p{number}@example.com")
        road.store.shop.register_customer(email=f"c{number}@example.com")
    answer_with(road, end, partial(_second, entry))
    what = "orders" if end == "/orders" else "contacts"
    run = road.run("bulk", only=[what])
    rows = len(road.store.state.orders) if end == "/orders" else len(road.store.shop.customers)
    assert (run.state, run.pulled) == ("COMPLETED", rows - 1)
    assert any(f"the {end[1:-1]} at position 2" in text for text in lines(road, run.id))


@pytest.mark.parametrize(
    "dates",
    [
        {"date_created_gmt": "-0001-11-30T00:00:00", "date_modified_gmt": None},
        {"date_created_gmt": False, "date_modified_gmt": "0000-00-00 00:00:00"},
        {"date_created_gmt": 0, "date_modified_gmt": []},
        {"date_created_gmt": "soon", "date_modified_gmt": 1.5},
    ],
)
@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_customer_with_an_odd_date_ends_no_run(
    make_road: Callable[..., Road], kind: str, dates: dict[str, Any]
) -> None:
    road = make_road()
    for number in range(3):
        road.store.shop.register_customer(email=f"c{number}@example.com")
    answer_with(road, "/customers", lambda rows: [{**rows[0], **dates}, *rows[1:]])
    options = {"since": "2001-01-01T00:00:00+00:00"} if kind == "full" else {}
    run = road.run(kind, only=["contacts"], **options)
    assert run.state == "COMPLETED"
