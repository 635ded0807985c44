"""Fixtures for all tests: databases of both kinds, a clock that can be moved, services on them."""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from integration.clock import SetClock
from integration.config import Deployment
from integration.models import Connector, Organisation
from integration.models.database import Database, open_database
from tests import compiled_sql, postgres_databases, routes
from tests.postgres import Cluster, binaries
from tests.schema import make_tables

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WITHOUT_POSTGRES = "PostgreSQL is not installed (apt-get install postgresql)"
#: So many new objects are looked through for garbage at a time; Python's 700 are few for a test.
GARBAGE_AFTER = 5000


# A machine that is busy makes slow examples, and says nothing about the code.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")
routes.share()
compiled_sql.share()

#: Folder of tests -> the marker that its tests get.
MARKS = {
    "browser": "browser",
    "road": "road",
    "cli": "process",
    "engines": "process",
    "contract": "contract",
    "deploy": "process",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by what it needs, so that a quick run can leave it out, and thin out what PostgreSQL repeats."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in MARKS:
            item.add_marker(MARKS[folder])
        callspec = getattr(item, "callspec", None)
        asked = set(getattr(item, "fixturenames", ()))
        chosen = callspec is not None and "postgresql" in (v for v in callspec.params.values() if isinstance(v, str))
        if chosen or ("postgres_url" in asked and "database_url" not in asked):
            item.add_marker("postgres")
    if not os.environ.get("EVERYTHING"):
        _thin_out(config, items)


def pytest_collectstart() -> None:
    """Look for no garbage meanwhile: what is made while tests are collected stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Keep what was collected out of every later look for garbage, and look less often: it was a tenth of the CPU."""
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    gc.enable()


def _thin_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the further cases of a test on PostgreSQL: SQLite runs them all, `make test-all` both.

    Whole syncs take long and stand on what the single rooms are tested for, so of their files one test each is enough.
    """
    met: set[str] = set()
    kept, left = [], []
    for item in items:
        callspec = getattr(item, "callspec", None)
        values = callspec.params.values() if callspec is not None else ()
        again = any(isinstance(value, str) and value == "postgresql" for value in values)
        name = item.nodeid.partition("::" if item.get_closest_marker("road") else "[")[0]
        (left if again and name in met else kept).append(item)
        if again:
            met.add(name)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server; skipped with the reason where there is none."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        postgres_databases.forget(given)
        return
    folder = binaries()
    if folder is None:
        pytest.skip(WITHOUT_POSTGRES)
    # Each copy of a database is a checkpoint, and after one every page that changes is logged as a whole.
    cluster = Cluster(folder, settings=("full_page_writes=off",))
    cluster.start()
    yield cluster.url
    postgres_databases.forget(cluster.url)
    cluster.stop()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    url = make_url(postgres_server).set(database=f"test_{uuid.uuid4().hex[:12]}")
    postgres_databases.create(url)
    yield url.render_as_string(hide_password=False)
    postgres_databases.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database with all tables and one organisation."""
    database = open_database(database_url)
    make_tables(database)
    with database.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield database
    database.dispose()


@pytest.fixture
def marks(db: Database) -> Database:
    """A database with a connector that has read no customer yet."""
    with db.write() as session:
        values: dict[str, Any] = {"webhook_path": "p", "created_at": NOON, "updated_at": NOON}
        session.add(Connector(id=1, organisation_id=1, name="Shop", **values))
    return db


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at noon until it is moved."""
    return SetClock(NOON)


@pytest.fixture
def deployment(tmp_path: Path, database_url: str) -> Deployment:
    """The settings of an installation in a temporary folder."""
    folder = tmp_path / "instance"
    folder.mkdir()
    return Deployment(
        instance_path=folder,
        secret_key="k" * 32,
        database_url=database_url,
        ratelimit=False,
        private_hosts=("*",),
    )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In CI a test that was skipped for want of a program is a failure: green must mean that it ran."""
    if report.skipped and os.environ.get("FAIL_ON_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
