"""Webhooks that come at once: taken together over real sockets, as if each had come alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, text

from integration.models import Cart, Connector, Delivery, FormerAddress, LedgerEntry
from integration.models.counts import Meter
from integration.models.database import lock_connector
from integration.models.sql import table_of
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records, webhooks
from integration.pipeline.services import Services
from tests.bench.world import order, signed
from tests.pipeline.commit_lines import waiting_behind
from tests.pipeline.rows import link
from tests.serving import serving
from tests.statements import caught
from tests.waiting import wait_for

SECRET = "the webhook secret"
#: Lets every new delivery fail, but not before the commit.
REFUSED_AT_COMMIT = {
    "sqlite": (
        "CREATE TABLE nowhere (id INTEGER REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER refuse AFTER INSERT ON delivery BEGIN INSERT INTO nowhere VALUES (-1); END",
    ),
    "postgresql": (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON delivery DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    ),
}


@pytest.fixture
def connector_id(services: Services) -> int:
    return connectors.create(services, organisation_id=1, name="Shop", webhook_secret=SECRET)


def path_of(services: Services, connector_id: int) -> str:
    with services.db.read() as session:
        return session.get_one(Connector, connector_id).webhook_path


@pytest.fixture
def url(services: Services, connector_id: int) -> Iterator[str]:
    with serving(services) as address:
        yield f"{address}/hooks/{path_of(services, connector_id)}"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


@contextmanager
def held(services: Services, connector_id: int) -> Iterator[None]:
    """Have the connector's lock, as a worker that settles has."""
    with services.db.write() as session:
        lock_connector(session, connector_id)
        yield


def post(url: str, record: dict[str, Any]) -> int:
    body = json.dumps(record).encode()
    return requests.post(url, data=body, headers=signed(body, SECRET), timeout=30).status_code


def at_once(services: Services, connector_id: int, pool: ThreadPoolExecutor, url: str, *numbers: int) -> list[int]:
    """Send orders so that all but the first are one group; return the statuses of the answers."""
    with held(services, connector_id):
        answers: list[Future[int]] = []
        for waiting, number in enumerate(numbers):
            answers.append(pool.submit(post, url, order(number, f"buyer{number}@example.com")))
            wait_for(lambda waiting=waiting: waiting_behind(services.webhooks, connector_id) == waiting)
    return [answer.result(30) for answer in answers]


def owed(services: Services, connector_id: int) -> list[str]:
    with services.db.read() as session:
        query = select(Delivery.source_id).where(Delivery.connector_id == connector_id).order_by(Delivery.id)
        return list(session.scalars(query))


def test_a_crowd_is_taken_in_two_transactions(
    services: Services, connector_id: int, url: str, pool: ThreadPoolExecutor
) -> None:
    numbers = range(1, 10)
    with caught(services.db.engine) as statements:
        assert at_once(services, connector_id, pool, url, *numbers) == [200] * 9
    assert owed(services, connector_id) == [str(number) for number in numbers]
    assert sum("last_webhook_at=" in each.text and not each.reads for each in statements) == 2
    with services.db.read() as session:
        assert session.scalar(select(func.sum(Meter.pulled))) == 9


def test_one_that_the_database_refuses_spoils_no_other(
    services: Services, connector_id: int, url: str, pool: ThreadPoolExecutor
) -> None:
    with services.db.write() as session:
        session.execute(text("CREATE UNIQUE INDEX one ON delivery (connector_id) WHERE source_id IN ('1', '4')"))
    assert at_once(services, connector_id, pool, url, 1, 2, 3, 4, 5, 6) == [200, 200, 200, 500, 200, 200]
    assert owed(services, connector_id) == ["1", "2", "3", "5", "6"]


def test_a_commit_that_fails_answers_nobody_with_200(
    services: Services, connector_id: int, url: str, pool: ThreadPoolExecutor
) -> None:
    statements = REFUSED_AT_COMMIT["sqlite" if services.db.sqlite else "postgresql"]
    with services.db.write() as session:
        for statement in statements:
            session.execute(text(statement))
    assert at_once(services, connector_id, pool, url, 1, 2, 3) == [500] * 3
    with services.db.write() as session:
        session.execute(text("DROP TRIGGER refuse" if services.db.sqlite else "DROP TRIGGER refuse ON delivery"))
    assert owed(services, connector_id) == []
    assert at_once(services, connector_id, pool, url, 1, 2, 3) == [200] * 3
    assert owed(services, connector_id) == ["1", "2", "3"]


def test_the_same_webhook_again_is_owed_once(
    services: Services, connector_id: int, url: str, pool: ThreadPoolExecutor
) -> None:
    assert at_once(services, connector_id, pool, url, 1, 2, 2, 3, 1, 2) == [200] * 6
    assert owed(services, connector_id) == ["1", "2", "3"]


#: What a lively shop sends in a moment: the same order again, another status, another buyer, an older sighting,
#: an account that gets another address, and what is deleted.
MOMENT: list[tuple[str, dict[str, Any]]] = [
    ("order.created", order(1, "ada@example.com") | {"status": "processing"}),
    ("order.updated", order(2, "bob@example.com")),
    ("order.updated", order(1, "ada@example.com") | {"date_modified_gmt": "2026-11-01T09:05:00"}),
    ("order.updated", order(1, "ada@example.com") | {"status": "on-hold"}),
    ("customer.updated", {"id": 7, "email": "ada@example.com", "role": "customer", "first_name": "Ada"}),
    ("customer.updated", {"id": 7, "email": "ada@example.com", "role": "customer", "first_name": "Adah"}),
    ("customer.updated", {"id": 7, "email": "lovelace@example.com", "role": "customer", "first_name": "Adah"}),
    ("order.updated", order(3, "ada@example.com")),
    ("order.updated", order(2, "carl@example.com") | {"date_modified_gmt": "2026-11-01T09:06:00"}),
    ("order.deleted", {"id": 3}),
    ("order.restored", order(3, "ada@example.com")),
    ("customer.deleted", {"id": 7}),
]


def receive(services: Services, path: str, topic: str, record: dict[str, Any]) -> int:
    body = json.dumps(record).encode()
    return webhooks.receive(services, path, signed(body, SECRET) | {"X-WC-Webhook-Topic": topic}, body)


def left(services: Services, connector_id: int) -> list[list[tuple[Any, ...]]]:
    """What the connector's webhooks have left in the tables, but for ids; each person's deliveries in their order."""
    found: list[list[tuple[Any, ...]]] = []
    for model, but in ((Delivery, {"id"}), (LedgerEntry, set()), (Meter, set()), (FormerAddress, {"id"})):
        columns = [each for each in table_of(model).c if each.name not in {"connector_id", *but}]
        query = select(*columns).where(table_of(model).c.connector_id == connector_id)
        order_by = ([Delivery.person_key] if model is Delivery else []) + list(table_of(model).primary_key)
        with services.db.read() as session:
            found.append([tuple(row) for row in session.execute(query.order_by(*order_by))])
    return found


def test_a_group_leaves_what_each_alone_would(services: Services, connector_id: int, pool: ThreadPoolExecutor) -> None:
    other = connectors.create(services, organisation_id=1, name="Twin", webhook_secret=SECRET)
    with services.db.write() as session:
        for number in (connector_id, other):
            records.mark_customers(session, number, {7: "read"}, {7: "ada@example.com"})
            session.add(link(number))
    for topic, record in MOMENT:
        assert receive(services, path_of(services, other), topic, record) == 200
    answers: list[Future[int]] = []
    with held(services, connector_id):
        for waiting, (topic, record) in enumerate(MOMENT):
            answers.append(pool.submit(receive, services, path_of(services, connector_id), topic, record))
            wait_for(lambda waiting=waiting: waiting_behind(services.webhooks, connector_id) == waiting)
    assert [answer.result(30) for answer in answers] == [200] * len(MOMENT)
    alone = left(services, other)
    assert [len(rows) for rows in alone] == [10, 3, 1, 1]
    assert left(services, connector_id) == alone


def is_waited_for(services: Services) -> bool:
    """Whether somebody waits for a connector's lock."""
    mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    with services.db.read() as session:
        waits = text(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {mine}")
        return bool(session.scalar(waits))


def test_who_waits_keeps_no_cart_from_who_has_the_lock(
    services: Services, connector_id: int, pool: ThreadPoolExecutor
) -> None:
    connectors.configure(services, connector_id, {"carts.enabled": True, "carts.silent": True})
    path = path_of(services, connector_id)
    draft = order(5, "ada@example.com") | {"status": "checkout-draft"}
    assert receive(services, path, "order.created", draft) == 200
    with services.db.write() as session:
        lock_connector(session, connector_id)
        answer = pool.submit(receive, services, path, "order.updated", draft | {"line_items": []})
        wait_for(lambda: waiting_behind(services.webhooks, connector_id) == 0)
        wait_for(lambda: services.db.sqlite or is_waited_for(services))
        assert session.scalar(select(Cart).with_for_update(nowait=True)) is not None
    assert answer.result(30) == 200


def test_the_lock_is_asked_for_once_a_transaction(services: Services, connector_id: int) -> None:
    for _ in range(2):
        with caught(services.db.engine) as statements, services.db.write() as session:
            for number in (connector_id, connector_id):
                lock_connector(session, number)
        assert len([each for each in statements if "advisory" in each.text]) == (0 if services.db.sqlite else 1)
