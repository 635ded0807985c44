"""No list, filter, search or sum walks through a big table: told by the plans of all that their pages ask for.

A page that is slow with millions of rows is quick in any test, so time says nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from app import create_app
from integration.config import Deployment
from integration.models import Base, Organisation
from integration.models.sql import COUNTED_ROWS_MAX
from integration.models.user import Role
from integration.operations.identity import accounts
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.queries import dead_letters
from tests.bench.filling import book_of, fill
from tests.conftest import NOON
from tests.list_pages import PAGES, values_for
from tests.schema import make_newest
from tests.statements import Statement, caught, plan

BIG = ("delivery", "attempt", "sync_log", "run_line")
ROWS = 600
#: SQLite reads a table or an index from end to end; all rows of a connector or a run, by an index that has them all; or
#: all on one side of a row.
SCAN = re.compile(rf"SCAN ({'|'.join(BIG)})\b")
WHOLE = re.compile(
    rf"SEARCH ({'|'.join(BIG)}) USING (COVERING )?INDEX "
    r"(ix_delivery_(page|kind|source|person_key|number|created|run)|ix_sync_log_\w+|ix_run_line_run|ix_attempt_at) "
    r"\((connector_id|run_id)=\?\)$"
)
SIDE = re.compile(WHOLE.pattern.replace(r"\)$", r"( AND id[<>]\?)+\)$"))


def signed_in(deployment: Deployment, services: Services) -> FlaskClient:
    app = create_app(deployment, services)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    user = accounts.create_user(services, 1, "plans@example.com", Role.SUPER, "plans-password-1")
    client.post(f"/sign-in/link/{accounts.make_link(services, user)}")
    return client


def walked(connection: Connection, statement: Statement) -> list[str]:
    """Return the lines of a statement's plan that walk through a big table, or through all rows of a connector."""
    lines = plan(connection, statement)
    if connection.dialect.name == "sqlite":
        whole = "LIMIT" not in statement.text
        endless = whole or any("TEMP B-TREE FOR ORDER BY" in line for line in lines)
        walks = [SCAN] + [WHOLE] * endless + [SIDE] * whole
        return [line for line in lines if any(walk.match(line) for walk in walks)]
    whole = "LIMIT" not in statement.text
    return [line for place, line in enumerate(lines) if _is_walk(line, lines[place + 1 : place + 2], whole)]


#: Indexes of few rows: to read one of them from end to end is no walk.
PARTIAL = {
    str(index.name)
    for table in Base.metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
}


def _is_walk(line: str, following: Sequence[str], whole: bool) -> bool:
    """Return whether PostgreSQL reads a whole table there, or all of an index where nothing limits it."""
    if re.search(rf"Seq Scan on ({'|'.join(BIG)})\b", line):
        return True
    index = re.search(r"(?:Scan|Backward) using (\w+) on (\w+)|Bitmap Index Scan on (\w+)", line)
    if not whole or index is None or (index[1] or index[3]) in PARTIAL or index[2] not in (None, *BIG):
        return False
    return not any("Index Cond" in each for each in following)


def _pages(counted: int) -> dict[str, str]:
    """Return the pages whose statements are looked at: all, or those that count no further."""
    return {name: page for name, page in PAGES.items() if counted > 1 or name.startswith("dead letters, by dates")}


def _clearing(client: FlaskClient, connector_id: int) -> dict[str, Callable[..., TestResponse]]:
    """Return what clears the log: part of it, then all."""
    clear = partial(client.post, f"/connectors/{connector_id}/tools/clear")
    some = partial(clear, data={"scope": "older", "days": "40"})
    return {"clear what is older": some, "clear all": partial(clear, data={"scope": "all"})}


@pytest.mark.parametrize("counted", [COUNTED_ROWS_MAX, 1], ids=["few", "very many"])
def test_no_page_walks_through_a_big_table(
    deployment: Deployment, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More failures between two moments than are counted are looked for in another way.
    monkeypatch.setattr(dead_letters, "COUNTED_ROWS_MAX", counted)
    make_newest(deployment.database_url)
    services = open_services(deployment)
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    number = connectors.create(services, organisation_id=1, name="Shop")
    connectors.create(services, organisation_id=1, name="Beside")
    book = book_of(ROWS, attempts=ROWS)
    fill(services.db, number, NOON, book)
    client = signed_in(deployment, services)
    values = values_for(number, NOON, book.records, book.runs)
    found: dict[str, list[str]] = {}
    asked: dict[str, tuple[str, Statement]] = {}
    acts = {name: partial(client.get, address.format(**values)) for name, address in _pages(counted).items()}
    for name, act in {**acts, **_clearing(client, number)}.items():
        with caught(services.db.engine) as statements:
            assert act(follow_redirects=True).status_code == 200, name
        for each in statements:
            if each.reads and re.search(rf"\b({'|'.join(BIG)})\b", each.text):
                asked.setdefault(each.text, (name, each))
    assert len(asked) > (50 if counted > 1 else 10)
    with services.db.engine.connect() as connection:
        if not services.db.sqlite:
            # Of a small table PostgreSQL reads all; here it does so only where no index can be used.
            connection.exec_driver_sql("SET enable_seqscan = off")
        for name, statement in asked.values():
            if lines := walked(connection, statement):
                found[f"{name}: {statement.text}"] = lines
    services.db.dispose()
    assert found == {}
