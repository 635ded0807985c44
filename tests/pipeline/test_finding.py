"""Search: what a person types, what is found by it, and that only indexes are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from integration.identity import first_version_key
from integration.identity import person_key
from integration.models import Connector
from integration.models.base import Base
from integration.pipeline import connectors
from integration.pipeline import finding
from integration.pipeline import sums
from integration.pipeline import timeline
from integration.pipeline.finding import Asked
from integration.pipeline.finding import Hit
from integration.pipeline.ports import Ports
from tests.conftest import NOON
from tests.pipeline import rows


def search(ports: Ports, text: str, *connector_ids: int) -> list[Hit]:
    with ports.db.read() as session:
        return finding.find(session, connector_ids, Asked.parse(text))


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
    assert Asked.parse(typed) == Asked(text, kind)


@pytest.mark.parametrize("typed", ["10482", "#10482", "WC-10482", "wc-10482", "order 10482", "WC-10482-B"])
def test_a_number_is_found_with_and_without_what_stands_around_it(ports: Ports, connector_id: int, typed: str) -> None:
    shop = [rows.delivery(connector_id, str(n), number=f"WC-{10400 + n}", at=n) for n in (80, 81, 82)]
    rows.store(ports, *shop)
    assert found(search(ports, typed, connector_id)) == [("order", "82", "order number")]


def test_an_order_is_found_once_by_number_and_by_id(ports: Ports, connector_id: int) -> None:
    rows.store(
        ports,
        rows.delivery(connector_id, "94", "delivered", 0, what="processing"),
        rows.delivery(connector_id, "94", "delivered", 5, what="completed"),
        rows.delivery(connector_id, "94", "delivered", 9, what="moved", subject=rows.BOB),
        rows.link(connector_id),
    )
    hits = search(ports, "94", connector_id)
    assert found(hits) == [("order", "94", "order number")]
    assert {(hit.name, hit.subject, hit.contact_id) for hit in hits} == {("Order 94 (completed)", rows.ADA, 77)}
    one = finding.one(hits)
    assert one is not None
    assert (one.what, one.key) == ("order", "94")


def test_an_order_that_was_only_added_up_is_found_by_its_id(ports: Ports, connector_id: int) -> None:
    rows.store(ports, rows.entry(connector_id, 55, "on-hold"))
    assert found(search(ports, "order 55", connector_id)) == [("order", "55", "order id")]


def test_the_beginning_of_a_number_is_looked_for_when_nothing_fits(ports: Ports, connector_id: int) -> None:
    shop = [rows.delivery(connector_id, str(n), number=f"{n}-2026", at=n) for n in (31, 32, 310)]
    rows.store(ports, *shop)
    assert {hit.key for hit in search(ports, "31", connector_id)} == {"31"}
    assert {hit.key for hit in search(ports, "310-", connector_id)} == {"310"}
    assert search(ports, "4", connector_id) == []


@pytest.mark.parametrize("typed", ["ada@example.com", " ADA@Example.COM ", "a\u200bda@example.com\u202c"])
@pytest.mark.parametrize("where", ["link", "delivery", "ledger", "log"])
def test_an_address_is_found_wherever_the_person_is_known(
    ports: Ports, connector_id: int, typed: str, where: str
) -> None:
    known: dict[str, Base] = {
        "link": rows.link(connector_id),
        "delivery": rows.delivery(connector_id, "1"),
        "ledger": rows.entry(connector_id, 1),
        "log": rows.log(connector_id, "1"),
    }
    assert search(ports, typed, connector_id) == []
    rows.store(ports, known[where])
    assert found(search(ports, typed, connector_id)) == [("person", rows.ADA, "e-mail address")]


@pytest.mark.parametrize("key", [person_key, first_version_key])
@pytest.mark.parametrize("typed", ["max@bücher.example", "Max@BÜCHER.example"])
def test_an_odd_address_is_found_by_its_key_of_today_and_by_that_of_the_first_version(
    ports: Ports, connector_id: int, key: Callable[[str], str], typed: str
) -> None:
    rows.store(ports, rows.link(connector_id, subject=key("max@bücher.example")))
    assert found(search(ports, typed, connector_id)) == [("person", key("max@bücher.example"), "e-mail address")]


def test_who_only_shared_a_key_is_not_taken_for_the_other(ports: Ports, connector_id: int) -> None:
    rows.store(ports, rows.link(connector_id, subject=person_key("a@fass.example")))
    assert search(ports, "a@faß.example", connector_id) == []


def test_a_contact_is_found_by_its_link_and_by_the_log(ports: Ports, connector_id: int) -> None:
    rows.store(ports, rows.link(connector_id), rows.log(connector_id, "3", contact_id=77, subject=rows.BOB))
    assert found(search(ports, "contact 77", connector_id)) == [
        ("person", rows.ADA, "contact id"),
        ("person", rows.BOB, "contact id"),
    ]


def test_plain_digits_are_grouped_by_what_they_may_be(ports: Ports, connector_id: int) -> None:
    rows.store(
        ports,
        rows.delivery(connector_id, "77"),
        rows.delivery(connector_id, "77", kind="contact", number="", what="created", identity="c", subject=rows.BOB),
        rows.link(connector_id, 77, "c" * 32),
    )
    hits = search(ports, "77", connector_id)
    assert [hit.how for hit in hits] == ["order number", "customer id", "contact id"]
    assert finding.one(hits) is None
    assert found(search(ports, "customer 77", connector_id)) == [("person", rows.BOB, "customer id")]


def test_several_orders_of_one_person_are_that_person(ports: Ports, connector_id: int) -> None:
    rows.store(ports, rows.delivery(connector_id, "1", number="A-7"), rows.delivery(connector_id, "2", number="A-7"))
    one = finding.one(search(ports, "A-7", connector_id))
    assert one is not None
    assert (one.what, one.key) == ("person", rows.ADA)


def test_a_run_is_found_by_its_correlation_id(ports: Ports, connector_id: int) -> None:
    [run] = rows.store(ports, rows.run(connector_id))
    assert found(search(ports, run.correlation_id.upper(), connector_id)) == [("run", str(run.id), "correlation id")]
    assert found(search(ports, f"run {run.id}", connector_id)) == [("run", str(run.id), "correlation id")]
    assert search(ports, "run 99999", connector_id) == []


def test_other_connectors_are_not_looked_into(ports: Ports, connector_id: int) -> None:
    other = connectors.create(ports, organisation_id=1, name="Other")
    rows.store(
        ports,
        rows.delivery(other, "94"),
        rows.link(other),
        rows.entry(other, 94),
        rows.log(other, "94", contact_id=77),
        run := rows.run(other),
    )
    for typed in ("94", "ada@example.com", "contact 77", run.correlation_id, f"run {run.id}"):
        assert search(ports, typed, connector_id) == []
        assert search(ports, typed, connector_id, other)


@pytest.fixture
def busy(ports: Ports, connector_id: int) -> int:
    """A connector with so many records that the databases prefer an index, and know which one is good."""
    orders = [rows.delivery(connector_id, str(n), subject=f"{n:032x}", at=n) for n in range(900)]
    people = [
        rows.delivery(connector_id, str(n), kind="contact", number="", identity=f"c{n}", subject=f"{n:032x}")
        for n in range(500)
    ]
    log = [rows.log(connector_id, str(n), n, contact_id=n, subject=f"{n:032x}") for n in range(900)]
    rows.store(ports, *orders, *people, *log)
    with ports.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return connector_id


def plans(ports: Ports, act: Callable[[], object]) -> list[str]:
    """How the database goes about each query of an act."""
    asked: list[tuple[str, Any]] = []

    def hear(connection: object, cursor: object, sql: str, given: Any, *rest: object) -> None:
        asked.append((sql, given))

    event.listen(ports.db.engine, "before_cursor_execute", hear)
    act()
    event.remove(ports.db.engine, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if ports.db.sqlite else "EXPLAIN "
    with ports.db.engine.connect() as connection:
        queries = [(sql, given) for sql, given in asked if sql.startswith("SELECT")]
        return ["\n".join(map(str, connection.exec_driver_sql(explain + sql, given))) for sql, given in queries]


def page(ports: Ports, connector_id: int, order: str, subject: str) -> None:
    """All that the page of an order and that of a person read."""
    with ports.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        for scope in (timeline.order(session, connector, order), timeline.person(session, connector, subject)):
            timeline.read(session, scope)
        timeline.known_order(session, connector, order, NOON)
        timeline.known_person(session, connector, subject, NOON)
        sums.add_up(session, connector, subject)


#: Tables that grow without end.
LARGE = ("delivery", "sync_log", "attempt", "order_ledger", "contact_link")


@pytest.mark.parametrize(
    "typed", ["412", "WC-412", "412-", "ada@example.com", "contact 77", "customer 5", "7" * 40, ""]
)
def test_every_look_uses_an_index_of_its_own(ports: Ports, busy: int, typed: str) -> None:
    found = plans(ports, lambda: search(ports, typed, busy) if typed else page(ports, busy, "412", f"{412:032x}"))
    for plan in found:
        assert not any(f"SCAN {table}" in plan for table in LARGE)
        # A walk along all orders, or all entries of a type, that has to be sorted.
        assert not ("_kind (connector_id=? AND kind=?)" in plan and "TEMP B-TREE" in plan)
        assert "ix_sync_log_type" not in plan
        assert "ix_delivery_page" not in plan
    assert found or typed == "7" * 40


def test_nothing_is_found_for_nothing(ports: Ports, connector_id: int) -> None:
    assert search(ports, " # ", connector_id) == []
