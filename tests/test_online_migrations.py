"""Each new migration leaves PostgreSQL's tables to others: no rewrite, no index built under a lock, no mass update."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from integration.models.database import open_database
from integration.models.migrate import LOCK_TRIES, _giving_way, upgrade
from tests.migration_steps import steer
from tests.statements import caught

#: Migrations up to this one are older than the rule.
LAST_FREE = "0028"
_RULES = {
    r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)": "builds an index under a lock: use migrations.online.create_index",
    r"DROP INDEX (?!CONCURRENTLY)": "drops an index under a lock: use migrations.online.drop_index",
    r"ALTER COLUMN \S+ (SET DATA )?TYPE": "rewrites the table: add a column and move to it in steps",
    r"ALTER COLUMN \S+ SET NOT NULL": "reads the table under a lock: add a CHECK … NOT VALID and validate it",
    r"ADD COLUMN .*DEFAULT (now|clock_timestamp|random|gen_random_uuid|nextval)\b": "writes each row anew",
    r"ADD COLUMN .*(SERIAL|GENERATED)": "writes each row anew",
    r"ADD COLUMN (?!.*DEFAULT).*NOT NULL": "fails where there are rows: give a server default",
    r"ADD CONSTRAINT (?!.*(NOT VALID|USING INDEX))": "reads the table under a lock: add it NOT VALID",
    r"^(VACUUM FULL|CLUSTER|REINDEX (?!.*CONCURRENTLY)|LOCK)": "locks the table",
    r"^(UPDATE|DELETE FROM|INSERT INTO \w+ .*SELECT)": "changes all rows in one transaction: do it while serving",
}
#: Written by Alembic itself, or with few rows: what a person set up.
_SMALL = ("alembic_version", "organisation", "connector", "user_account", "schedule", "alert_group")


def broken_rules(statements: Sequence[str]) -> list[str]:
    """Return what statements do to tables that were there before them."""
    made = {found[1] for each in statements if (found := re.match(r"\s*CREATE TABLE (\w+)", each))}
    broken = []
    for statement in statements:
        words = " ".join(statement.split())
        table = re.search(r"(?:ALTER TABLE|UPDATE|DELETE FROM|INSERT INTO| ON) (\w+)", words)
        if table is not None and (table[1] in made or table[1] in _SMALL):
            continue
        broken += [f"{words} … {why}" for rule, why in _RULES.items() if re.search(rule, words)]
    return broken


def test_new_migrations_leave_the_tables_to_others(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", LAST_FREE)
        with caught(database.engine) as statements:
            steer(connection, "upgrade", "head")
    database.dispose()
    said = [each.text for each in statements]
    assert any("CREATE INDEX CONCURRENTLY" in each for each in said)
    assert broken_rules(said) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX ix_a ON delivery (kind)",
        "CREATE UNIQUE INDEX uq_a ON sync_log (kind)",
        "DROP INDEX ix_a",
        "ALTER TABLE delivery ALTER COLUMN kind TYPE TEXT",
        "ALTER TABLE delivery ALTER COLUMN kind SET NOT NULL",
        "ALTER TABLE delivery ADD COLUMN at TIMESTAMP DEFAULT now() NOT NULL",
        "ALTER TABLE delivery ADD COLUMN at TIMESTAMP NOT NULL",
        "ALTER TABLE attempt ADD CONSTRAINT fk_a FOREIGN KEY(a) REFERENCES b (id)",
        "UPDATE delivery SET kind = ''",
        "INSERT INTO record_count (a) SELECT a FROM delivery",
        "LOCK TABLE delivery",
    ],
)
def test_a_migration_that_holds_others_up_is_told(statement: str) -> None:
    assert len(broken_rules([statement])) == 1


def test_what_is_quick_or_concerns_a_new_table_is_allowed() -> None:
    quick = [
        "CREATE INDEX CONCURRENTLY ix_a ON delivery (kind)",
        "DROP INDEX CONCURRENTLY IF EXISTS ix_a",
        "ALTER TABLE delivery ADD COLUMN a BIGINT DEFAULT '0' NOT NULL",
        "ALTER TABLE attempt ADD CONSTRAINT fk_a FOREIGN KEY(a) REFERENCES b (id) NOT VALID",
        "CREATE TABLE mark (id BIGINT NOT NULL)",
        "CREATE INDEX ix_mark ON mark (id)",
        "UPDATE alembic_version SET version_num='0032'",
    ]
    assert broken_rules(quick) == []


def test_a_migration_gives_way_to_who_holds_the_table_and_comes_back(postgres_url: str) -> None:
    upgrade(postgres_url)
    database = open_database(postgres_url)
    tries = []
    with database.engine.connect() as holder, database.engine.connect() as connection:
        holder.execute(text("LOCK TABLE delivery"))
        connection.execute(text("SET lock_timeout = '20ms'"))
        connection.commit()

        def act() -> None:
            tries.append(1)
            if len(tries) == 2:
                holder.rollback()
            connection.execute(text("ALTER TABLE delivery ADD COLUMN more BIGINT"))

        _giving_way(connection, act)
        connection.rollback()
    database.dispose()
    assert len(tries) == 2 < LOCK_TRIES


def test_an_index_that_was_left_unfinished_is_built_anew(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", LAST_FREE)
        connection.execute(text("CREATE INDEX ix_delivery_open ON delivery (id)"))
        connection.commit()
        steer(connection, "upgrade", "head")
        found = connection.scalar(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_delivery_open'"))
        assert "(connector_id, id)" in str(found)
    database.dispose()
