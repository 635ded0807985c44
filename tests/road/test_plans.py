"""No statement of the road walks through what a connector has gathered over the years: told by the plans of all.

A walk takes no time in a test, where hardly anything was gathered.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from integration.models import Base
from integration.operations import reconciliation
from integration.pipeline.runs import page_intake, reading_list
from integration.sandbox.store.bulk import seed_bulk
from tests.clock_jobs import by_the_clock
from tests.road.conftest import Road
from tests.statements import Statement, caught, plan

#: What grows with the years, not with what a connector has to do just now.
GROWING = (
    "delivery", "attempt", "sync_log", "run", "run_line", "order_ledger", "contact_link", "follow_up_mark", "consent",
    "former_address", "buyer_score",
)  # fmt: skip
#: Partial indexes of which the rows still grow: those of what is settled, and of all that ever failed.
_SETTLED = ("settled_at IS NOT NULL", "died_at IS NOT NULL")
SMALL = {
    str(index.name)
    for table in Base.metadata.tables.values()
    for index in table.indexes
    if (where := index.dialect_options["sqlite"]["where"]) is not None and str(where) not in _SETTLED
}
STEP = re.compile(
    rf"(SCAN|SEARCH) ({'|'.join(GROWING)})(?:_\d+)?(?= |$)(?: USING (?:COVERING )?INDEX (\w+)(?: \((.*)\))?)?"
)
#: All that was ever sent of a record, of a person or in a run; what is asked of these has an index of few rows.
_EVER_SENT = ("ix_delivery_source", "ix_delivery_person_key", "ix_delivery_run")
#: The largest number of a connector's orders is at the end of its index.
ENDS = ("max(order_ledger.order_id)",)
#: Once in a run that reads all orders they are put in order of their buyers.
ALL_IN_ORDER = "SELECT order_ledger.person_key, order_ledger.order_id \nFROM order_ledger"
#: Whether a record that is met again was ever sent as it is.
MET_AGAIN = "SELECT delivery.identity \nFROM delivery"


def walks(connection: Connection, statement: Statement) -> list[str]:
    """Return the lines of a statement's plan that read all rows of a growing table, or all of a connector or record."""
    if any(each in statement.text for each in ENDS) or statement.text.startswith((MET_AGAIN, ALL_IN_ORDER)):
        return []
    lines = plan(connection, statement)
    if connection.dialect.name == "postgresql":
        return [line for line in lines if re.search(rf"Seq Scan on ({'|'.join(GROWING)})\b", line)]
    sorts = any("TEMP B-TREE FOR ORDER BY" in line for line in lines)
    if "LIMIT" in statement.text and not sorts:
        return []
    return [line for line in lines if (found := STEP.match(line)) and _is_walk(found)]


def _is_walk(found: re.Match[str]) -> bool:
    how, _, index, columns = found.groups()
    whole = how == "SCAN" or columns == "connector_id=?" or index in _EVER_SENT
    return whole and index not in SMALL


@pytest.mark.parametrize("large", [False, True], ids=["small store", "large store"])
def test_nothing_of_the_road_walks_through_what_was_gathered(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr(reading_list, "ORDERS_MIN", 10)
        monkeypatch.setattr(page_intake, "OPEN_MAX", 5)
    road = make_road(orders__notes=True, orders__statuses="completed,processing", sync__batch_start=10)
    seed_bulk(road.store.state, customers=12, orders=30)
    with caught(road.services.db.engine) as statements:
        road.run("initial")
        road.run("full")
        road.run("incremental")
        road.arrive(road.order("ada@example.com"))
        road.mautic.faults.command({"kind": "lose_answer_early", "path": "/api/contacts/batch/new", "times": 1})
        road.arrive(road.order("bob@example.com"))
        road.work()
        reconciliation.start(road.services, road.connector_id, "test")
        road.work()
        for job, _ in by_the_clock(road.services):
            job()
    assert road.states() >= {"delivered", "skipped"}
    found: dict[str, list[str]] = {}
    with road.services.db.engine.connect() as connection:
        if not road.services.db.sqlite:
            # Of a small table PostgreSQL reads all; here it does so only where no index can be used.
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement in {each.text: each for each in statements if each.finds}.values():
            if lines := walks(connection, statement):
                found[statement.text] = lines
    assert not found, "\n".join(f"{lines} of {statement}" for statement, lines in found.items())
