"""Who is let go is looked up person by person, whatever the database believes of how many wait."""

from __future__ import annotations

from sqlalchemy import update

from integration.events import Origin
from integration.models import Delivery
from integration.models.run import RunKind
from integration.pipeline import outbox
from integration.pipeline.runs import lifecycle
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange, accept, states
from tests.statements import Statement, caught, plan


def test_no_statement_joins_all_that_wait_with_all_leads(
    services: Services, connector_id: int, change: MakeChange
) -> None:
    run_id = lifecycle.start(services, connector_id, RunKind.FULL, trigger="test")
    people = [f"p{number}@example.com" for number in range(20)]
    history = [change(number, email, origin=Origin.FULL) for number, email in enumerate(people)]
    accept(services, connector_id, *history, run_id=run_id)
    with services.db.write() as session:
        session.execute(update(Delivery).values(state="waiting"))
    with caught(services.db.engine) as found:
        with services.db.write() as session:
            assert outbox.let_go(session, connector_id, run_id, most=5) == 5
        outbox.let_go_by_parts(services.db, connector_id, run_id)
        with services.db.write() as session:
            assert outbox.let_go(session, connector_id, run_id) == 0
    assert set(states(services)) == {"ready"}
    of_deliveries = [each for each in found if each.finds and "delivery" in each.text]
    assert len(of_deliveries) == 5
    assert all(_is_by_person(services, each) for each in of_deliveries)


def _is_by_person(services: Services, statement: Statement) -> bool:
    with services.db.engine.connect() as connection:
        if services.db.sqlite:
            lines = plan(connection, statement)
            return not any(line.startswith("SCAN delivery") or line.endswith("(connector_id=?)") for line in lines)
        # Of a small table PostgreSQL reads all.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        lines = plan(connection, statement)
    promotes = statement.text.lstrip().startswith("UPDATE")
    by_person = sum("Index Cond" in line and "person_key" in line for line in lines)
    return not any("Anti Join" in line or "Join Filter" in line for line in lines) and by_person >= (
        3 if promotes else 0
    )
