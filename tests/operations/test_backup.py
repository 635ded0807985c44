"""A backup made while the application works comes back whole, and nothing is sent before a person says so."""

from __future__ import annotations

import json
import random
import socket
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text

from integration.clock import SetClock
from integration.config import Deployment
from integration.errors import SettingError
from integration.models import AuditEntry, Connector, Organisation, SyncLogEntry
from integration.models.connector import ConnectorState
from integration.models.database import open_database
from integration.models.migrate import downgrade, number_of, upgrade
from integration.operations import audit, backup
from integration.operations.backup import archive, content
from integration.pipeline import installation
from integration.pipeline.connectors import connectors, fingerprint, restored
from integration.pipeline.services import Services, open_services
from tests.conftest import NOON
from tests.pipeline.rows import log
from tests.postgres import free_port
from tests.schema import make_newest
from tests.waiting import wait_for

SECRETS = {"store_url": "https://shop.example", "store_key": "ck_1", "store_secret": "cs_secret"}
Elsewhere = Callable[..., Deployment]


@pytest.fixture
def services(deployment: Deployment, clock: SetClock) -> Iterator[Services]:
    """An installation with a connector and some rows of its log."""
    make_newest(deployment.database_url)
    services = open_services(deployment, clock=clock)
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
        installation.check_key(session, services.vault)
        installation.keep_address(session, "https://app.example")
    number = connectors.create(services, organisation_id=1, name="Shop", **SECRETS)
    with services.db.write() as session:
        session.add_all(log(number, str(each)) for each in range(300))
    yield services
    services.db.dispose()


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, deployment: Deployment, tmp_path: Path) -> Iterator[Elsewhere]:
    """Makes settings of a place with an empty database of the same kind, or of another one by its URL."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    drop: list[str] = []

    def make(**values: Any) -> Deployment:
        url = f"sqlite:///{folder / 'new.sqlite'}"
        if deployment.database_url.startswith("postgresql"):
            server, name = request.getfixturevalue("postgres_server"), f"test_{uuid.uuid4().hex[:12]}"
            with create_engine(server, isolation_level="AUTOCOMMIT").connect() as admin:
                admin.execute(text(f"CREATE DATABASE {name}"))
            drop.append(name)
            url = server.rsplit("/", 1)[0] + f"/{name}"
        given = {"instance_path": folder, "database_url": url, "port": free_port(), **values}
        return deployment.model_copy(update=given)

    yield make
    for name in drop:
        with create_engine(request.getfixturevalue("postgres_server"), isolation_level="AUTOCOMMIT").connect() as admin:
            admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def writing(services: Services) -> Iterator[list[int]]:
    """Write two entries of the log in each transaction, again and again, and tell how often it was done."""
    stop, done = threading.Event(), [0]

    def work() -> None:
        while not stop.is_set():
            with services.db.write() as session:
                session.add_all([log(1, f"first {done[0]}"), log(1, f"second {done[0]}")])
            done[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def test_a_backup_made_among_writes_is_one_moment_and_comes_back_whole(
    services: Services, elsewhere: Elsewhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = content.rows
    with writing(services) as done:

        def rows(connection: Any) -> dict[str, int]:
            found, before = counted(connection), done[0]
            wait_for(lambda: done[0] > before + 3, "more writes")
            return found

        monkeypatch.setattr(content, "rows", rows)
        wait_for(lambda: done[0] > 3, "the first writes")
        made = backup.make(services.deployment, services.clock, tmp_path)
        monkeypatch.undo()
        wrote = done[0]
    assert made.file.name == "woo-mautic-20261120T120000Z.zip" and made.file.stat().st_mode & 0o777 == 0o600
    assert 300 + 6 < made.manifest.rows["sync_log"] < 300 + 2 * wrote and made.manifest.rows["sync_log"] % 2 == 0
    assert not made.key_is_lost and (made.manifest.address, made.manifest.rows["connector"]) == (
        "https://app.example",
        1,
    )
    there = elsewhere()
    put = backup.restore(there, services.clock, made.file, actor="command line: root")
    assert dict(put.connectors) == {1: "Shop"}
    database = open_database(there.database_url)
    with database.read() as session:
        told = {"audit_entry": made.manifest.rows["audit_entry"] + 1}
        assert counted(session.connection()) == {**made.manifest.rows, **told}
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.actor, entry.organisation_id) == ("RESTORED", "command line: root", 1)
        assert entry.diff["backup of"] == [None, NOON.isoformat()]
        assert [chain.broken_id for chain in audit.verify(session)] == [None, None]
        assert session.scalar(select(func.count()).select_from(SyncLogEntry)) == made.manifest.rows["sync_log"]
        row = session.get_one(Connector, 1)
        assert services.vault.open(row.secrets)["store_secret"] == "cs_secret"
        assert row.state == ConnectorState.READ_ONLY
        assert "put back from a backup of 20 November 2026, 12:00 UTC" in fingerprint.sentence(row)
    with database.write() as session:
        fingerprint.confirm_same(session, services.clock.now(), 1)
        row = session.get_one(Connector, 1)
        assert (row.state, restored.gap_of(row)) == (ConnectorState.ACTIVE, restored.Gap(NOON, NOON))
    database.dispose()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def refused(place: Deployment, file: Path, **options: Any) -> SettingError:
    with pytest.raises(SettingError) as said:
        backup.restore(place, SetClock(NOON), file, **options)
    return said.value


def test_nothing_is_overwritten_and_what_runs_is_left_alone(
    services: Services, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    made = backup.make(services.deployment, services.clock, tmp_path / "a.zip")
    with pytest.raises(SettingError, match="there already"):
        backup.make(services.deployment, services.clock, made.file)
    here = services.deployment.model_copy(update={"port": free_port()})
    assert refused(here, made.file).name == "DATABASE_URL"
    services.db.dispose()
    assert "already" in str(refused(here, made.file))
    with socket.socket() as served:
        served.bind(("127.0.0.1", 0))
        served.listen()
        assert refused(elsewhere(port=served.getsockname()[1]), made.file).name == "PORT"
    with services.db.read() as session:
        assert session.get_one(Connector, 1).state == ConnectorState.ACTIVE


def test_a_database_that_others_are_connected_to_is_not_filled(
    services: Services, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    made = backup.make(services.deployment, services.clock, tmp_path / "a.zip")
    place = elsewhere()
    worker = open_database(place.database_url)
    with worker.engine.connect() as connection:
        if worker.sqlite:
            # One that was killed, or is still there after its file was moved, leaves this.
            (place.instance_path / "new.sqlite-wal").touch()
        else:
            connection.execute(text("SELECT 1"))
        assert refused(place, made.file).name == "DATABASE_URL"
    worker.dispose()


def test_another_key_is_told_clearly_and_can_be_passed_over(
    services: Services, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    made = backup.make(services.deployment, services.clock, tmp_path / "a.zip")
    place = elsewhere(secret_key="n" * 32)
    error = refused(place, made.file)
    assert error.name == "SECRET_KEY" and made.manifest.keys[0] in str(error)
    backup.restore(place.model_copy(update={"secret_key_old": ("k" * 32,)}), services.clock, made.file)
    place = elsewhere(secret_key="n" * 32, database_url=f"sqlite:///{tmp_path / 'third.sqlite'}")
    if made.manifest.database == "sqlite":
        backup.restore(place, services.clock, made.file, any_key=True)
        assert backup.make(place, services.clock, tmp_path / "b.zip").key_is_lost
    else:
        assert "is a backup of PostgreSQL" in str(refused(place, made.file, any_key=True))


def changed(file: Path, to: Path, **values: Any) -> Path:
    """Write a backup whose manifest says something else."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(to, "w") as new:
        new.writestr("manifest.json", json.dumps(json.loads(old.read("manifest.json")) | values))
        new.writestr("database", old.read("database"))
    return to


def turned(whole: bytes, place: int, bit: int) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]


def test_no_bit_that_was_turned_over_breaks_off_or_changes_what_comes_back(tmp_path: Path) -> None:
    chance = random.Random(7)
    database, file = tmp_path / "database", tmp_path / "a.zip"
    database.write_bytes(chance.randbytes(300) + bytes(3000) + b"An order and a refund. " * 200)
    manifest = archive.Manifest(
        made_at=NOON, database="sqlite", schema_revision="1", keys=("k",), address="", rows={"run": 1}
    )
    archive.pack(file, manifest, database, packed=False)
    whole, refusals = file.read_bytes(), 0
    for number, place in enumerate(range(len(whole))):
        file.write_bytes(turned(whole, place, chance.randrange(8)))
        to = tmp_path / str(number)
        try:
            archive.read_manifest(file)
            archive.unpack(file, to)
        except SettingError:
            refusals += 1
        else:
            assert to.read_bytes() == database.read_bytes()
        to.unlink(missing_ok=True)
    assert refusals > len(whole) // 3


def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    services: Services, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    file = backup.make(services.deployment, services.clock, tmp_path / "a.zip").file
    place, broken = elsewhere(), tmp_path / "broken.zip"
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as opened:
        # The name of the database as it stands before it, which is not the one in the list at the end any more.
        place_of_name = opened.getinfo("database").header_offset + 30
    texts = {
        "no backup": b"hello",
        "or it is damaged": whole[:-3000],
        "is damaged": turned(whole, place_of_name, 0),
    }
    for said, data in texts.items():
        broken.write_bytes(data)
        assert said in str(refused(place, broken))
    rows = json.loads(zipfile.ZipFile(file).read("manifest.json"))["rows"]
    assert "newer version" in str(refused(place, changed(file, tmp_path / "b.zip", format=2)))
    assert "newer schema" in str(refused(place, changed(file, tmp_path / "c.zip", schema_revision="9999")))
    assert "no backup" in str(refused(place, changed(file, tmp_path / "d.zip", keys=[])))
    assert "cannot be read" in str(refused(place, tmp_path / "nowhere.zip"))
    assert number_of(place.database_url) is None
    if place.database_url.startswith("sqlite"):
        # Reading the number made the empty file.
        (place.instance_path / "new.sqlite").unlink()
    fewer = changed(file, tmp_path / "e.zip", rows=rows | {"sync_log": 7})
    assert "is damaged" in str(refused(place, fewer))
    if place.database_url.startswith("postgresql"):
        with pytest.raises(SettingError, match="half of a backup"):
            upgrade(place.database_url)
    else:
        assert list(place.instance_path.iterdir()) == []


def test_an_older_schema_is_backed_up_as_it_is_and_brought_to_the_newest_when_it_is_put_back(
    services: Services, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    services.db.dispose()
    newest = number_of(services.deployment.database_url)
    with pytest.raises(SettingError, match="9999 is no older schema"):
        downgrade(services.deployment.database_url, "9999")
    with pytest.raises(SettingError, match=f"{newest} is no older schema"):
        downgrade(services.deployment.database_url, str(newest))
    downgrade(services.deployment.database_url, "0027")
    made = backup.make(services.deployment, services.clock, tmp_path / "a.zip")
    assert (made.manifest.schema_revision, number_of(services.deployment.database_url)) == ("0027", "0027")
    place = elsewhere()
    backup.restore(place, services.clock, made.file)
    assert number_of(place.database_url) == newest
    database = open_database(place.database_url)
    with database.read() as session:
        assert fingerprint.doubt(session.get_one(Connector, 1))["was"] == ConnectorState.ACTIVE
    database.dispose()
    upgrade(services.deployment.database_url)
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(SyncLogEntry)) == 300
