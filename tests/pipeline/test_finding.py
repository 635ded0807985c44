"""Search: what a person types, what is found by it, and that only indexes are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from integration.identity import first_version_key, person_key_of
from integration.models import Connector
from integration.models.base import Base
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.queries import lifetime_breakdown, search as querie_search, timeline
from integration.queries.search import Hit, SearchQuery
from tests.conftest import NOON
from tests.pipeline import rows


def search(services: Services, text: str, *connector_ids: int) -> list[Hit]:
    with services.db.read() as session:
        return querie_search.find(session, connector_ids, SearchQuery.parse(text))


def found(hits: list[Hit]) -> list[tuple[str, str, str]]:
    return [(hit.what, hit.key, hit.how) for hit in hits]


@pytest.mark.parametrize(
    ("typed", "kind", "text"),
    [
        (" #10482 ", "", "10482"),
        ("WC-10482", "", "WC-10482"),
        ("Ada@Example.com", "email", "Ada@Example.com"),
        ("contact 77", "contact", "77"),
        ("Contact:77", "contact", "77"),
        ("order #94", "order", "94"),
        ("customer 5", "customer", "5"),
        ("run 12", "run", "12"),
        ("1\x000\ud800", "", "10"),
        ("", "", ""),
        ("x" * 999, "", "x" * 254),
    ],
)
def test_what_was_typed_is_understood(typed: str, kind: str, text: str) -> None:
    assert SearchQuery.parse(typed) == SearchQuery(text=text, kind=kind)


@pytest.mark.parametrize("typed", ["10482", "#10482", "WC-10482", "wc-10482", "order 10482", "WC-10482-B"])
def test_a_number_is_found_with_and_without_what_stands_around_it(
    services: Services, connector_id: int, typed: str
) -> None:
    shop = [rows.delivery(connector_id, str(n), number=f"WC-{10400 + n}", at=n) for n in (80, 81, 82)]
    rows.store(services, *shop)
    assert found(search(services, typed, connector_id)) == [("order", "82", "order number")]


def test_an_order_is_found_once_by_number_and_by_id(services: Services, connector_id: int) -> None:
    rows.store(
        services,
        rows.delivery(connector_id, "94", "delivered", 0, event="processing"),
        rows.delivery(connector_id, "94", "delivered", 5, event="completed"),
        rows.delivery(connector_id, "94", "delivered", 9, event="moved", person_key=rows.BOB),
        rows.link(connector_id),
    )
    hits = search(services, "94", connector_id)
    assert found(hits) == [("order", "94", "order number")]
    assert {(hit.name, hit.person_key, hit.contact_id) for hit in hits} == {("Order 94 (completed)", rows.ADA, 77)}
    one = querie_search.one(hits)
    assert one is not None
    assert (one.what, one.key) == ("order", "94")


def test_an_order_that_was_only_added_up_is_found_by_its_id(services: Services, connector_id: int) -> None:
    rows.store(services, rows.entry(connector_id, 55, "on-hold"))
    assert found(search(services, "order 55", connector_id)) == [("order", "55", "order id")]


def test_the_beginning_of_a_number_is_looked_for_when_nothing_fits(services: Services, connector_id: int) -> None:
    shop = [rows.delivery(connector_id, str(n), number=f"{n}-2026", at=n) for n in (31, 32, 310)]
    rows.store(services, *shop)
    assert {hit.key for hit in search(services, "31", connector_id)} == {"31"}
    assert {hit.key for hit in search(services, "310-", connector_id)} == {"310"}
    assert search(services, "4", connector_id) == []


@pytest.mark.parametrize("typed", ["ada@example.com", " ADA@Example.COM ", "a\u200bda@example.com\u202c"])
@pytest.mark.parametrize("where", ["link", "delivery", "ledger", "log"])
def test_an_address_is_found_wherever_the_person_is_known(
    services: Services, connector_id: int, typed: str, where: str
) -> None:
    known: dict[str, Base] = {
        "link": rows.link(connector_id),
        "delivery": rows.delivery(connector_id, "1"),
        "ledger": rows.entry(connector_id, 1),
        "log": rows.log(connector_id, "1"),
    }
    assert search(services, typed, connector_id) == []
    rows.store(services, known[where])
    assert found(search(services, typed, connector_id)) == [("person", rows.ADA, "e-mail address")]


@pytest.mark.parametrize("key", [person_key_of, first_version_key])
@pytest.mark.parametrize("typed", ["max@bücher.example", "Max@BÜCHER.example"])
def test_an_odd_address_is_found_by_its_key_of_today_and_by_that_of_the_first_version(
    services: Services, connector_id: int, key: Callable[[str], str], typed: str
) -> None:
    rows.store(services, rows.link(connector_id, person_key=key("max@bücher.example")))
    assert found(search(services, typed, connector_id)) == [("person", key("max@bücher.example"), "e-mail address")]


def test_who_only_shared_a_key_is_not_taken_for_the_other(services: Services, connector_id: int) -> None:
    rows.store(services, rows.link(connector_id, person_key=person_key_of("a@fass.example")))
    assert search(services, "a@faß.example", connector_id) == []


def test_a_contact_is_found_by_its_link_and_by_the_log(services: Services, connector_id: int) -> None:
    rows.store(services, rows.link(connector_id), rows.log(connector_id, "3", contact_id=77, person_key=rows.BOB))
    assert found(search(services, "contact 77", connector_id)) == [
        ("person", rows.ADA, "contact id"),
        ("person", rows.BOB, "contact id"),
    ]


def test_plain_digits_are_grouped_by_what_they_may_be(services: Services, connector_id: int) -> None:
    rows.store(
        services,
        rows.delivery(connector_id, "77"),
        rows.delivery(
            connector_id, "77", kind="contact", number="", event="created", identity="c", person_key=rows.BOB
        ),
        rows.link(connector_id, 77, "c" * 32),
    )
    hits = search(services, "77", connector_id)
    assert [hit.how for hit in hits] == ["order number", "customer id", "contact id"]
    assert querie_search.one(hits) is None
    assert found(search(services, "customer 77", connector_id)) == [("person", rows.BOB, "customer id")]


def test_several_orders_of_one_person_are_that_person(services: Services, connector_id: int) -> None:
    rows.store(services, rows.delivery(connector_id, "1", number="A-7"), rows.delivery(connector_id, "2", number="A-7"))
    one = querie_search.one(search(services, "A-7", connector_id))
    assert one is not None
    assert (one.what, one.key) == ("person", rows.ADA)


def test_a_run_is_found_by_its_correlation_id(services: Services, connector_id: int) -> None:
    [run] = rows.store(services, rows.run(connector_id))
    assert found(search(services, run.correlation_id.upper(), connector_id)) == [("run", str(run.id), "correlation id")]
    assert found(search(services, f"run {run.id}", connector_id)) == [("run", str(run.id), "correlation id")]
    assert search(services, "run 99999", connector_id) == []


def test_other_connectors_are_not_looked_into(services: Services, connector_id: int) -> None:
    other = connectors.create(services, organisation_id=1, name="Other")
    rows.store(
        services,
        rows.delivery(other, "94"),
        rows.link(other),
        rows.entry(other, 94),
        rows.log(other, "94", contact_id=77),
        run := rows.run(other),
    )
    for typed in ("94", "ada@example.com", "contact 77", run.correlation_id, f"run {run.id}"):
        assert search(services, typed, connector_id) == []
        assert search(services, typed, connector_id, other)


@pytest.fixture
def busy(services: Services, connector_id: int) -> int:
    """A connector with so many records that the databases prefer an index, and know which one is good."""
    orders = [rows.delivery(connector_id, str(n), person_key=f"{n:032x}", at=n) for n in range(900)]
    people = [
        rows.delivery(connector_id, str(n), kind="contact", number="", identity=f"c{n}", person_key=f"{n:032x}")
        for n in range(500)
    ]
    log = [rows.log(connector_id, str(n), n, contact_id=n, person_key=f"{n:032x}") for n in range(900)]
    rows.store(services, *orders, *people, *log)
    with services.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return connector_id


def plans(services: Services, act: Callable[[], object]) -> list[str]:
    """How the database goes about each query of an act."""
    asked: list[tuple[str, Any]] = []

    def hear(connection: object, cursor: object, sql: str, given: Any, *rest: object) -> None:
        asked.append((sql, given))

    event.listen(services.db.engine, "before_cursor_execute", hear)
    act()
    event.remove(services.db.engine, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if services.db.sqlite else "EXPLAIN "
    with services.db.engine.connect() as connection:
        queries = [(sql, given) for sql, given in asked if sql.startswith("SELECT")]
        return ["\n".join(map(str, connection.exec_driver_sql(explain + sql, given))) for sql, given in queries]


def page(services: Services, connector_id: int, order: str, person_key: str) -> None:
    """All that the page of an order and that of a person read."""
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        for scope in (timeline.order(session, connector, order), timeline.person(session, connector, person_key)):
            timeline.read(session, scope)
        timeline.known_order(session, connector, order, NOON)
        timeline.known_person(session, connector, person_key, NOON)
        lifetime_breakdown.add_up(session, connector, person_key)


#: Tables that grow without end.
LARGE = ("delivery", "sync_log", "attempt", "order_ledger", "contact_link")


@pytest.mark.parametrize(
    "typed", ["412", "WC-412", "412-", "ada@example.com", "contact 77", "customer 5", "7" * 40, ""]
)
def test_every_look_uses_an_index_of_its_own(services: Services, busy: int, typed: str) -> None:
    found = plans(
        services, lambda: search(services, typed, busy) if typed else page(services, busy, "412", f"{412:032x}")
    )
    for plan in found:
        assert not any(f"SCAN {table}" in plan for table in LARGE)
        # A walk along all orders, or all entries of a type, that has to be sorted.
        assert not ("_kind (connector_id=? AND kind=?)" in plan and "TEMP B-TREE" in plan)
        assert "ix_sync_log_type" not in plan
        assert "ix_delivery_page" not in plan
    assert found or typed == "7" * 40


def test_nothing_is_found_for_nothing(services: Services, connector_id: int) -> None:
    assert search(services, " # ", connector_id) == []
