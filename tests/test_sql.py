"""Statements that are written once for SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import String, bindparam, select, update

from integration.models import Database
from integration.models.ledger import CustomerMark
from integration.models.sql import begins, counted_page, counted_upto, hour_of, swapped, upsert

NOW = datetime(2026, 5, 4, 10, 30, 15, tzinfo=UTC)


def stored(db: Database) -> dict[int, str]:
    with db.read() as session:
        return dict(session.execute(select(CustomerMark.customer_id, CustomerMark.version)).tuples().all())


def rows(**versions: str) -> list[dict[str, Any]]:
    return [{"connector_id": 1, "customer_id": int(key[1:]), "version": value} for key, value in versions.items()]


def put(db: Database, *args: Any, **kwargs: Any) -> dict[int, str]:
    with db.write() as session:
        upsert(session, CustomerMark, *args, **kwargs)
    return stored(db)


def test_new_rows_are_inserted_and_known_ones_changed(marks: Database) -> None:
    assert put(marks, rows(c1="a", c2="b"), ("version",)) == {1: "a", 2: "b"}
    assert put(marks, rows(c2="x", c3="c"), ("version",)) == {1: "a", 2: "x", 3: "c"}


def test_known_rows_stay_when_nothing_is_to_change(marks: Database) -> None:
    put(marks, rows(c1="a"), ("version",))
    assert put(marks, rows(c1="z", c2="b")) == {1: "a", 2: "b"}


def test_values_can_be_computed_and_conditions_obeyed(marks: Database) -> None:
    put(marks, rows(c1="a", c2="m"), ("version",))
    both = put(marks, rows(c1="b", c2="c"), lambda table, new: {"version": table.c.version + new.version})
    assert both == {1: "ab", 2: "mc"}
    larger = put(marks, rows(c1="zz", c2="a"), ("version",), where=lambda table, new: new.version > table.c.version)
    assert larger == {1: "zz", 2: "mc"}


def test_what_differs_from_call_to_call_is_a_parameter_of_one_statement(marks: Database) -> None:
    def not_below(table: Any, new: Any) -> Any:
        asked.append(table.name)
        return new.version >= bindparam("least", type_=String)

    asked: list[str] = []
    put(marks, rows(c1="a", c2="a"), ("version",))
    assert put(marks, rows(c1="k", c2="x"), ("version",), where=not_below, bound={"least": "m"}) == {1: "a", 2: "x"}
    assert put(marks, rows(c1="c", c2="b"), ("version",), where=not_below, bound={"least": "c"}) == {1: "c", 2: "x"}
    assert put(marks, rows(c1="z", c2="z"), ("version",), where=not_below, bound={"least": None}) == {1: "c", 2: "x"}
    assert asked == ["customer_mark"]


def test_no_rows_are_no_statement(marks: Database) -> None:
    assert put(marks, [], ("version",)) == {}


def test_only_one_of_two_swaps_succeeds(marks: Database) -> None:
    put(marks, rows(c1="a"), ("version",))
    swap = update(CustomerMark).where(CustomerMark.version == "a").values(version="b")
    with marks.write() as session:
        assert (swapped(session, swap), swapped(session, swap)) == (1, 0)


@pytest.mark.parametrize(
    ("text", "found"), [("a", [1, 2]), ("a%", [2]), ("", [1, 2, 3]), ("A", []), ("é", [3]), ("b", [])]
)
def test_a_prefix_is_taken_as_it_is_written(marks: Database, text: str, found: list[int]) -> None:
    put(marks, rows(c1="ab", c2="a%c", c3="élan"), ("version",))
    with marks.read() as session:
        query = select(CustomerMark.customer_id).where(begins(session, CustomerMark.version, text))
        assert sorted(session.scalars(query)) == found


def test_an_hour_begins_without_minutes() -> None:
    assert hour_of(NOW) == datetime(2026, 5, 4, 10, tzinfo=UTC)


def test_a_total_is_counted_no_further_than_it_is_told(marks: Database) -> None:
    put(marks, rows(c1="a", c2="a", c3="a"))
    with marks.read() as session:
        found = [counted_upto(session, select(CustomerMark.customer_id), most) for most in (2, 3, 10_000)]
    assert found == [(2, False), (3, True), (3, True)]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ({}, [9, 8, 7]),
        ({"offset": 3}, [6, 5, 4]),
        ({"offset": 6}, [3, 2, 1]),
        ({"offset": 9}, [3, 2, 1]),
        ({"offset": 10**12}, [3, 2, 1]),
        ({"before": 3}, [2, 1]),
        ({"before": 1}, []),
    ],
)
def test_a_page_is_found_with_the_number_of_all_rows(marks: Database, place: dict[str, int], found: list[int]) -> None:
    put(marks, rows(**{f"c{number}": "a" for number in range(1, 10)}))
    ids = select(CustomerMark.customer_id)
    with marks.read() as session:
        assert counted_page(session, ids, 3, 100, **place) == ((9, True), found)
        assert counted_page(session, ids.where(CustomerMark.version == "b"), 3, 100, **place) == ((0, True), [])
        total, _ = counted_page(session, ids, 3, 8, **place)
        assert total == (8, False)
