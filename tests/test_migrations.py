"""The migrations: they lead to what the models say, keep what is stored, and lead back."""

from __future__ import annotations

from datetime import UTC, datetime

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from integration.models import Base, Connector, Delivery
from integration.models.database import open_database
from integration.models.migrate import FOLDER, upgrade


def steer(connection: Connection, act: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    getattr(command, act)(config, revision)
    connection.commit()


def test_the_migrations_lead_to_what_the_models_say(database_url: str) -> None:
    upgrade(database_url)
    database = open_database(database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    database.dispose()


OLD_ORGANISATION = "INSERT INTO organisation (id, name, created_at) VALUES (1, 'A', '2026-01-01 10:00:00')"
OLD_ROW = """
INSERT INTO delivery (connector_id, kind, source_id, number, what, identity, subject, origin, priority, state, due_at,
    attempts, payload_at, created_at, settled_at, result, partial, error_code, error)
VALUES (1, 'order', '7', '7', 'completed', :identity, :identity, 'webhook', 0, :state, '2026-01-01 10:00:00', 1,
    '2026-01-01 10:00:00', '2026-01-01 10:20:00', '2026-01-01 11:00:00', '', :partial, '', '')
"""
OLD_CONNECTOR = """
INSERT INTO connector (id, organisation_id, name, state, is_demo, store_url, store_rest_root, store_ca, store_facts,
    mautic_url, mautic_method, mautic_user, mautic_client_id, mautic_ca, mautic_facts, settings, cursors, fields,
    webhook_path, webhook_ids, log_cleared_id, created_at, updated_at)
VALUES (1, 1, 'Shop', 'active', :no, '', '', '', '{}', '', 'basic', '', '', '', '{}', '{}', '{}', '[]', 'path', '{}',
    0, '2026-01-01 10:00:00', '2026-01-01 10:00:00')
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
