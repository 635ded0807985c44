"""The database is held by another process: who writes waits a bounded time and gets 503, who reads is not kept."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from integration.models import Organisation
from integration.models.database import Database, open_database, waiting
from integration.operations.identity import tokens
from integration.pipeline.services import Services
from integration.web.frame import services as frame
from tests.conftest import NOON
from tests.schema import make_tables
from tests.web.conftest import PASSWORD, Person

WAIT_S = 0.6
#: Three in turn would wait three times that; passwords alone take seconds where the processors are busy.
LONG_S = 4.0


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "WRITE_WAIT_S", WAIT_S)


@pytest.fixture
def held(app: Flask, tmp_path: Path, connector_id: int) -> Iterator[None]:
    """Another process writes."""
    with closing(sqlite3.connect(tmp_path / "web.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture
def token(services: Services) -> str:
    return tokens.make(services, 1, "Grafana", ["logs", "replay"], "admin@example.com").secret


def at_once(calls: list[Callable[[], TestResponse]]) -> tuple[list[TestResponse], float]:
    """Make calls in parallel; return the answers, and how long the last one took."""
    answers: list[TestResponse] = []
    threads = [threading.Thread(target=lambda call=call: answers.append(call())) for call in calls]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers, time.monotonic() - began


def test_writers_are_told_to_come_again(
    app: Flask, visitor: Person, token: str, held: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "WRITE_WAIT_S", LONG_S)
    form = {"email": "admin@example.com", "password": PASSWORD, "csrf_token": visitor.token()}
    bearer = {"Authorization": f"Bearer {token}"}
    calls = [
        lambda: visitor.client.post("/sign-in", data=form),
        lambda: app.test_client().post("/api/v1/connectors/1/replay", json={"ids": [1]}, headers=bearer),
        lambda: visitor.client.post("/sign-in", data=form | {"password": "wrong"}),
    ]
    answers, seconds = at_once(calls)
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
    assert seconds < 3 * LONG_S
    assert sum(answer.is_json for answer in answers) == 1


def test_readers_do_not_wait(app: Flask, viewer: Person, token: str, held: None) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    began = time.monotonic()
    for path in ("/connectors/1/", "/connectors/1/runs", "/sign-in", "/healthz"):
        assert viewer.get(path).status_code in (200, 302)
    assert app.test_client().get("/api/v1/connectors", headers=bearer).status_code == 200
    assert time.monotonic() - began < 10


def test_it_is_logged_once_a_minute(visitor: Person, held: None, caplog: pytest.LogCaptureFixture) -> None:
    form = {"email": "admin@example.com", "password": "wrong", "csrf_token": visitor.token()}
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert visitor.client.post("/sign-in", data=form).status_code == 503
    assert len(caplog.records) <= 1
    assert not any(record.exc_info for record in caplog.records)


def test_what_is_wrong_with_a_statement_is_an_error_of_ours(app: Flask, visitor: Person) -> None:
    def broken() -> str:
        with app.extensions["services"].db.read() as session:
            session.execute(text("SELECT * FROM nowhere"))
        return ""

    broken.open_to_all = True  # type: ignore[attr-defined]  # as access.public does
    app.add_url_rule("/broken", view_func=broken)
    assert visitor.get("/broken").status_code == 500


@pytest.fixture(params=["sqlite", "postgresql"])
def db_of_kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    postgres = request.param == "postgresql"
    database = open_database(request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(database)
    with database.write() as session:
        session.add(Organisation(id=1, name="Shop Ltd", created_at=NOON))
    yield database
    database.dispose()


def test_a_write_waits_no_longer_than_it_may(db_of_kind: Database) -> None:
    db = db_of_kind
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        with db.write() as session:
            session.get_one(Organisation, 1).name = "Held"
            session.flush()
            ready.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(5)
    try:
        for seconds in (0.0, 0.3):
            began = time.monotonic()
            with pytest.raises(OperationalError), waiting(seconds), db.write() as session:
                session.get_one(Organisation, 1).name = "Mine"
                session.flush()
            assert time.monotonic() - began < seconds + 5
    finally:
        done.set()
        thread.join()
    with waiting(0.5), db.write() as session:
        session.get_one(Organisation, 1).name = "Free"
