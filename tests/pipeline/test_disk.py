"""What is known of the disk: which errors are its own, what a trial finds, and when too little is free."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import threading
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy.exc import InternalError, OperationalError

from integration.config import Deployment
from integration.models import Database
from integration.models.database import open_database
from integration.models.disk_faults import FULL, READ_ONLY, fault_of
from integration.models.installation import Installation
from integration.pipeline.disk import Disk
from integration.pipeline.leases.endings import is_passing
from tests.full_disk import FullDisk, ask_every
from tests.schema import make_tables


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_every(monkeypatch, 0)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def full_disk(db: Database) -> FullDisk:
    return FullDisk(db)


@pytest.fixture
def disk(db: Database, deployment: Deployment) -> Disk:
    return Disk(db, deployment)


def of_sqlite(name: str) -> OperationalError:
    driver = sqlite3.OperationalError("as SQLite says it")
    driver.sqlite_errorname = name
    return OperationalError("INSERT", None, driver)


def test_the_faults_of_a_disk_are_told_from_others() -> None:
    assert fault_of(of_sqlite("SQLITE_FULL")) is FULL
    assert fault_of(of_sqlite("SQLITE_READONLY_DBMOVED")) is READ_ONLY
    assert fault_of(OperationalError("INSERT", None, psycopg.errors.DiskFull("no space"))) is FULL
    assert fault_of(InternalError("INSERT", None, psycopg.errors.ReadOnlySqlTransaction("standby"))) is READ_ONLY
    assert [fault_of(OSError(code, "")) for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)] == [
        FULL,
        FULL,
        READ_ONLY,
    ]
    others = [of_sqlite("SQLITE_BUSY"), OSError(errno.ENOENT, ""), OSError("no number"), ZeroDivisionError()]
    assert [fault_of(other) for other in others] == [None] * 4
    assert is_passing(OSError(errno.ENOSPC, ""))
    assert is_passing(InternalError("INSERT", None, psycopg.errors.ReadOnlySqlTransaction("standby")))
    assert not is_passing(OSError(errno.ENOENT, ""))


def test_a_trial_writes_and_leaves_nothing(disk: Disk, db: Database, deployment: Deployment) -> None:
    assert disk.look() is None
    with db.read() as session:
        assert session.query(Installation).count() == 0
    assert list((deployment.instance_path / "logs").iterdir()) == []


def test_a_full_database_is_found_and_left_again(disk: Disk, full_disk: FullDisk) -> None:
    full_disk.fill()
    assert disk.look() is FULL
    assert disk.is_blocked()
    full_disk.make_room()
    assert not disk.is_blocked()


def test_a_postgresql_that_can_only_be_read_is_found(postgres_url: str, deployment: Deployment) -> None:
    database = open_database(postgres_url)
    make_tables(database)
    disk = Disk(database, deployment)
    assert disk.look() is None
    with database.engine.connect() as connection:
        name = connection.engine.url.database
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        connection.commit()
    database.dispose()
    assert disk.look() is READ_ONLY
    database.dispose()


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), FULL),
        (OSError(errno.EROFS, "Read-only file system"), READ_ONLY),
        (PermissionError(errno.EACCES, "Permission denied"), READ_ONLY),
    ],
)
def test_a_log_folder_that_takes_no_file_is_found(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, error: OSError, fault: Exception
) -> None:
    def refuse(path: Path, data: bytes) -> int:
        raise error

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert disk.look() is fault


def test_a_result_holds_for_a_while(disk: Disk, full_disk: FullDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_every(monkeypatch, 60)
    assert disk.look() is None
    full_disk.fill()
    assert disk.look() is None, "no second trial within the time"
    assert disk.met(of_sqlite("SQLITE_FULL"))
    assert disk.look() is FULL, "what somebody has met counts at once"


def test_a_writer_that_is_busy_is_no_fault_of_the_disk(disk: Disk, db: Database) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with db.write():
            held.set()
            done.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(5)
    assert disk.look() is None
    done.set()
    thread.join()


@pytest.mark.parametrize(
    ("total_mb", "free_mb", "said"),
    [
        (100_000, 501, ""),
        (100_000, 499, "Less than 500 MB of the disk are free."),
        (10_000, 201, ""),
        (10_000, 199, "Less than 200 MB of the disk are free."),
    ],
)
def test_too_little_is_the_smaller_of_a_number_and_a_part(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, total_mb: int, free_mb: int, said: str
) -> None:
    usage = SimpleNamespace(total=total_mb * 2**20, free=free_mb * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert disk.shortage() == said


def test_no_limit_is_no_warning(db: Database, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=2**40, free=0))
    assert Disk(db, deployment.model_copy(update={"disk_free_min_mb": 0})).shortage() == ""
