"""What docs/upgrade.md says that the way back takes away is what it takes away."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.orm import Session

from integration.models import Connector, Organisation, Run
from integration.models.connector import ConnectorState
from integration.models.database import open_database
from integration.models.migrate import upgrade
from integration.models.run import RunState
from tests.conftest import NOON
from tests.migration_steps import steer
from tests.pipeline.rows import run

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "upgrade.md").read_text(encoding="utf-8").partition("## Going back")[2]
[OLDEST] = re.findall(r"`wm migrate --to (\d{4})`", (DOCS / "deploy.md").read_text(encoding="utf-8"))


def places(connection: Connection) -> dict[str, set[str]]:
    """Table -> its columns."""
    look = inspect(connection)
    return {name: {column["name"] for column in look.get_columns(name)} for name in look.get_table_names()}


def test_all_that_the_way_back_takes_away_is_told(database_url: str) -> None:
    upgrade(database_url)
    database = open_database(database_url)
    with database.engine.connect() as connection:
        newest = places(connection)
        steer(connection, "downgrade", OLDEST)
        older = places(connection)
    database.dispose()
    gone = {name for name in newest if name not in older}
    gone |= {f"{name}.{column}" for name in older for column in newest[name] - older[name]}
    assert f"schema to {OLDEST}" in GUIDE
    assert set(re.findall(r"`(\w+(?:\.\w+)?)`", GUIDE.partition("| --- |")[2])) == gone


def test_on_the_way_back_a_paused_run_has_failed_and_a_read_only_connector_is_paused(database_url: str) -> None:
    upgrade(database_url)
    database = open_database(database_url)
    with database.write() as session:
        session.add(Organisation(id=1, name="Shop Ltd", created_at=NOON))
        session.flush()
        values = {"name": "Shop", "webhook_path": "p", "created_at": NOON, "updated_at": NOON}
        session.add(Connector(id=1, organisation_id=1, state=ConnectorState.READ_ONLY, **values))
        session.flush()
        session.add(run(1, state=RunState.PAUSED))
    with database.engine.connect() as connection:
        steer(connection, "downgrade", OLDEST)
        steer(connection, "upgrade", "head")
        with Session(connection) as session:
            assert session.get_one(Connector, 1).state == ConnectorState.PAUSED
            assert session.get_one(Run, 1).state == RunState.FAILED
    database.dispose()
