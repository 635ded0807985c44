"""The migrations: they lead to what the models say, keep what is stored, and lead back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from integration.models import Base, Connector, Delivery, Drift, Reconciliation, RunLine
from integration.models.database import open_database
from integration.models.drift import Reconciled
from integration.models.migrate import upgrade
from integration.pipeline.runs import lifecycle as run_lifecycle, resumption
from integration.sandbox.authority import Authority
from tests.migration_steps import OLD_CONNECTOR, OLD_ORGANISATION, steer


def test_the_migrations_lead_to_what_the_models_say(database_url: str) -> None:
    upgrade(database_url)
    database = open_database(database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    database.dispose()


OLD_ROW = """
INSERT INTO delivery (connector_id, kind, source_id, number, what, identity, subject, origin, priority, state, due_at,
    attempts, payload_at, created_at, settled_at, result, partial, error_code, error)
VALUES (1, 'order', '7', '7', 'completed', :identity, :identity, 'webhook', 0, :state, '2026-01-01 10:00:00', 1,
    '2026-01-01 10:00:00', '2026-01-01 10:20:00', '2026-01-01 11:00:00', '', :partial, '', '')
"""


def test_an_older_database_keeps_its_rows_and_gets_their_counts(database_url: str) -> None:
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0001")
        connection.execute(
            text("INSERT INTO organisation (id, name, created_at) VALUES (1, 'A', '2026-01-01 10:00:00')")
        )
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        for number, (state, partial) in enumerate((("delivered", False), ("delivered", True), ("dead", False))):
            connection.execute(text(OLD_ROW), {"identity": str(number), "state": state, "partial": partial})
        connection.commit()
        steer(connection, "upgrade", "head")
        counts = connection.execute(text("SELECT state, records FROM record_count ORDER BY state")).all()
        assert [tuple(row) for row in counts] == [("dead", 1), ("delivered", 1), ("partial", 1)]
        assert connection.scalar(text("SELECT COUNT(*) FROM delivery WHERE died_at IS NOT NULL")) == 1
        steer(connection, "downgrade", "0001")
        assert connection.scalar(text("SELECT COUNT(*) FROM delivery")) == 3
    database.dispose()


def test_piled_up_dead_letters_of_a_record_become_one(database_url: str) -> None:
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0002")
        connection.execute(text(OLD_ORGANISATION))
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        for number in range(3):
            connection.execute(text(OLD_ROW), {"identity": str(number), "state": "dead", "partial": False})
        connection.execute(text("UPDATE delivery SET died_at = settled_at"))
        connection.execute(text(OLD_ROW), {"identity": "9", "state": "delivered", "partial": False})
        connection.commit()
        steer(connection, "upgrade", "head")
        letters = connection.execute(text("SELECT state, failures, closed_by FROM delivery ORDER BY id")).all()
        assert [row.state for row in letters] == ["closed", "closed", "dead", "delivered"]
        assert (letters[2].failures, letters[2].closed_by, letters[0].closed_by) == (3, None, 3)
        counts = connection.execute(text("SELECT state, records FROM record_count WHERE records > 0")).all()
        assert dict(tuple(row) for row in counts)["dead"] == 1
        steer(connection, "downgrade", "0002")
        assert connection.scalar(text("SELECT COUNT(*) FROM delivery WHERE state = 'dead'")) == 3
    database.dispose()


OLD_ENTRY = """
INSERT INTO order_ledger (connector_id, order_id, subject, status, net_total, refunded, currency, local_date)
VALUES (1, 7, 'somebody', 'completed', '9.90', :no, 'EUR', '2026-01-01')
"""


def test_orders_of_an_older_ledger_have_products_that_are_not_known(database_url: str) -> None:
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0002")
        connection.execute(text(OLD_ORGANISATION))
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        connection.execute(text(OLD_ENTRY), {"no": False})
        connection.commit()
        steer(connection, "upgrade", "head")
        assert connection.execute(text("SELECT net_total, products FROM order_ledger")).all() == [("9.90", None)]
        steer(connection, "downgrade", "0002")
        assert connection.scalar(text("SELECT COUNT(*) FROM order_ledger")) == 1
    database.dispose()


OLD_SETTINGS = '{"orders": {"notes": true, "emails": {"completed": 4, "refunded": 0}}}'


def test_what_sends_mail_in_an_older_database_counts_from_the_upgrade(database_url: str) -> None:
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0002")
        connection.execute(text(OLD_ORGANISATION))
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        connection.execute(text(OLD_CONNECTOR.replace("(1, 1,", "(2, 1,").replace("'path'", "'other'")), {"no": False})
        connection.execute(text("UPDATE connector SET settings = :settings WHERE id = 1"), {"settings": OLD_SETTINGS})
        for number, state in enumerate(("waiting", "dead", "delivered")):
            connection.execute(text(OLD_ROW), {"identity": str(number), "state": state, "partial": False})
        connection.commit()
        before = datetime.now(UTC)
        steer(connection, "upgrade", "head")
        with Session(connection) as session:
            first, second = session.scalars(select(Connector).order_by(Connector.id))
            moments = {name: datetime.fromisoformat(moment) for name, moment in first.triggers.items()}
            assert set(moments) == {"orders.emails:completed", "orders.notes"}
            assert all(before <= moment <= datetime.now(UTC) for moment in moments.values())
            assert second.triggers == {}
            reached = session.scalars(select(Delivery.reached_at).order_by(Delivery.id)).all()
            assert [moment is not None for moment in reached] == [True, True, False]
        steer(connection, "downgrade", "0002")
        assert connection.scalar(text("SELECT COUNT(*) FROM delivery")) == 3
    database.dispose()


def test_what_is_open_goes_on_with_the_tries_it_has_had(database_url: str) -> None:
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0001")
        connection.execute(text(OLD_ORGANISATION))
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        for state in ("ready", "waiting", "dead"):
            connection.execute(text(OLD_ROW), {"identity": state, "state": state, "partial": False})
        connection.commit()
        steer(connection, "upgrade", "head")
        faults = connection.execute(text("SELECT state, attempts, faults FROM delivery ORDER BY state")).all()
        assert [tuple(row) for row in faults] == [("dead", 1, 0), ("ready", 1, 1), ("waiting", 1, 1)]
        steer(connection, "downgrade", "0002")
        assert connection.scalar(text("SELECT SUM(attempts) FROM delivery")) == 3
    database.dispose()


OLD_RUN = """
INSERT INTO run (connector_id, kind, state, trigger, options, phase, cursor, correlation_id, pulled, accepted, pushed,
    skipped, failed, calls, store_calls, created_at, error_code, error)
VALUES (1, 'full', 'COMPLETED', 'me', '{}', '', '{}', 'c', 9, 9, 9, 0, 0, 1, 1, '2026-01-01 09:00:00', '', '')
"""
OLD_RECONCILIATION = """
INSERT INTO reconciliation (id, connector_id, trigger, state, cursor, checked, missing, doubled, differs, surplus,
    calls, lease_token, leased_until, created_at, ended_at, error)
VALUES (:id, 1, 'nightly', :state, :cursor, 100, 1, 0, 2, 0, 30, :token, :ended, '2026-01-02 03:00:00', :ended, :error)
"""
OLD_DRIFT = """
INSERT INTO drift (id, reconciliation_id, connector_id, kind, person_key, source_kind, source_id, detail, sentence,
    found_at) VALUES (:id, :of, 1, 'missing', :person, 'order', '7', '{}', '', '2026-01-02 03:00:00')
"""
OLD_MET = "INSERT INTO reconciled (reconciliation_id, person_key) VALUES (:of, :person)"
GOING = '{"phase": "customers", "place": {"page": 3}, "tries": 2, "pause_until": "2026-01-02T03:05:00+00:00"}'


def old_reconciliations(connection: Connection) -> None:
    """Three of them, numbered so that old and new numbers overlap; the last one goes in another process."""
    connection.execute(text(OLD_ORGANISATION))
    connection.execute(text(OLD_CONNECTOR), {"no": False})
    for _ in range(2):
        connection.execute(text(OLD_RUN))
    ended = "2026-01-02 03:30:00"
    kinds = (
        ("COMPLETED", '{"phase": "done"}', ended, "", None),
        ("FAILED", '{"phase": "buyers", "place": "k"}', ended, "No answer.", None),
        ("RUNNING", GOING, None, "It waits and tries again: No answer.", "host.1.2.token"),
    )
    for number, (state, cursor, at, error, token) in enumerate(kinds, 1):
        values = {"id": number, "state": state, "cursor": cursor, "ended": at, "error": error, "token": token}
        connection.execute(text(OLD_RECONCILIATION), values)
        connection.execute(text(OLD_DRIFT), {"id": 10 * number, "of": number, "person": "same"})
        connection.execute(text(OLD_DRIFT), {"id": 10 * number + 1, "of": number, "person": f"of {number}"})
    connection.execute(text(OLD_MET), {"of": 3, "person": "met"})
    connection.commit()


def test_reconciliations_become_runs_and_keep_what_they_found(database_url: str) -> None:
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0009")
        old_reconciliations(connection)
        steer(connection, "upgrade", "head")
        with Session(connection) as session:
            first, failed, going = session.scalars(select(Reconciliation).order_by(Reconciliation.id))
            assert [row.id for row in (first, failed, going)] == [3, 4, 5]
            assert [row.state for row in (first, failed, going)] == ["COMPLETED", "FAILED", "RUNNING"]
            assert (first.pulled, first.skipped, first.missing, first.differs, first.calls) == (100, 97, 1, 2, 30)
            assert (failed.error, resumption.may_resume(failed)) == ("No answer.", False)
            assert (going.phase, going.cursor, going.tries) == ("customers", {"place": {"page": 3}}, 2)
            assert (going.due_at, going.lease_token) == (datetime(2026, 1, 2, 3, 5, tzinfo=UTC), None)
            assert going.error == "It waits and tries again: No answer."
            found = session.execute(select(Drift.id, Drift.reconciliation_id).order_by(Drift.id)).tuples().all()
            assert found == [(10, 3), (11, 3), (20, 4), (21, 4), (30, 5), (31, 5)]
            assert session.scalars(select(Reconciled.reconciliation_id)).all() == [5]
            [line] = session.scalars(select(RunLine.text).where(RunLine.run_id == 5))
            assert line == "An earlier version began this reconciliation; it goes on where it stood."
            later = datetime(2026, 1, 2, 4, tzinfo=UTC)
            taken = run_lifecycle.take(session, later, "token")
            assert taken is not None and taken.id == 5
            session.rollback()
        steer(connection, "downgrade", "0009")
        rows = connection.execute(text("SELECT id, state, checked, calls FROM reconciliation ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [
            (3, "COMPLETED", 100, 30),
            (4, "FAILED", 100, 30),
            (5, "RUNNING", 100, 30),
        ]
        found = connection.execute(text("SELECT id, reconciliation_id FROM drift ORDER BY id")).all()
        assert [tuple(row) for row in found] == [(10, 3), (11, 3), (20, 4), (21, 4), (30, 5), (31, 5)]
        assert connection.scalar(text("SELECT COUNT(*) FROM run")) == 2
        steer(connection, "upgrade", "head")
        assert connection.scalar(text("SELECT COUNT(*) FROM reconciliation")) == 3
    database.dispose()


def test_a_run_keeps_its_lines_when_its_table_is_widened(database_url: str) -> None:
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0009")
        connection.execute(text(OLD_ORGANISATION))
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        connection.execute(text(OLD_RUN))
        connection.execute(
            text("INSERT INTO run_line (run_id, at, level, text) VALUES (1, '2026-01-01 09:00:00', 'info', 'Read.')")
        )
        connection.commit()
        for act, revision in (("upgrade", "head"), ("downgrade", "0009"), ("upgrade", "head")):
            steer(connection, act, revision)
            assert connection.execute(text("SELECT kind FROM run")).scalars().all() == ["full"]
            assert connection.execute(text("SELECT text FROM run_line")).scalars().all() == ["Read."]
    database.dispose()


def test_the_files_of_own_authorities_are_read_once_and_a_lost_one_is_said(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Authority("Shop CA")
    file = tmp_path / "ca.pem"
    file.write_text(f"Shop CA\n{shop.pem}{shop.issued('shop.example')[1]}", encoding="ascii")
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0017")
        connection.execute(text(OLD_ORGANISATION))
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        paths = {"store": str(file), "mautic": "/nowhere/ca.pem"}
        connection.execute(text("UPDATE connector SET store_ca = :store, mautic_ca = :mautic"), paths)
        connection.commit()
        steer(connection, "upgrade", "head")
        kept = connection.execute(text("SELECT store_ca, mautic_ca FROM connector")).one()
        assert tuple(kept) == (shop.pem.strip(), "/nowhere/ca.pem")
        assert "/nowhere/ca.pem could not be read (FileNotFoundError)" in caplog.text
        steer(connection, "downgrade", "0017")
        assert connection.execute(text("SELECT store_ca, mautic_ca FROM connector")).one() == ("", "")
    database.dispose()


def test_postgresql_tidies_deliveries_early_and_leaves_it_to_the_server_again(postgres_url: str) -> None:
    parameters = "SELECT reloptions FROM pg_class WHERE relname = 'delivery'"
    upgrade(postgres_url)
    database = open_database(postgres_url)
    with database.engine.connect() as connection:
        assert "autovacuum_vacuum_scale_factor=0.01" in connection.scalar(text(parameters))
        steer(connection, "downgrade", "0028")
        assert connection.scalar(text(parameters)) is None
    database.dispose()
