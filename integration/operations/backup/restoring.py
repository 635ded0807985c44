"""Puts a backup back into an empty place, and leaves every connector read-only until a person lets it go on.

What was sent after the backup was made is not in it. An installation that went on by itself would send it again; one
that still runs elsewhere would send at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from integration.clock import Clock
from integration.config import Deployment
from integration.errors import SettingError
from integration.models import migrate, opening
from integration.models.audit import AuditAction
from integration.models.connector import Connector, ConnectorState
from integration.models.database import Database
from integration.models.organisation import Organisation
from integration.models.vault import fingerprint
from integration.operations import audit
from integration.operations.backup import archive, content, in_use, postgres, sqlite
from integration.operations.backup.archive import NAME, Manifest
from integration.pipeline.connectors import restored

_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and the names of the connectors by id that are read-only now."""

    manifest: Manifest
    connectors: Mapping[int, str]


def restore(
    deployment: Deployment, clock: Clock, file: Path, *, any_key: bool = False, actor: str = "system"
) -> Restored:
    """Put a backup back into the database of the deployment, which must be empty, and bring it to the newest schema.

    Each organisation's audit log says that the `actor` did it. With `any_key` also one that was made under another
    SECRET_KEY. All is put back or nothing. Raises SettingError: for a file that is no whole backup (FILE), another kind
    of database, one that holds something or is in use (DATABASE_URL), a server that runs (PORT), another key
    (SECRET_KEY).
    """
    manifest = archive.read_manifest(file)
    _check(deployment, manifest, any_key=any_key)
    with migrate.at(deployment.database_url) as database:
        in_use.check(deployment, database)
        put = _put_file if database.sqlite else _put_dump
        names = put(database, file, manifest, clock.now(), actor)
    return Restored(manifest, names)


def _check(deployment: Deployment, manifest: Manifest, *, any_key: bool) -> None:
    """Raise SettingError for what is wrong with a backup before it is unpacked."""
    here = "sqlite" if deployment.database_url.startswith("sqlite") else "postgresql"
    if manifest.database != here:
        raise SettingError(
            opening.NAME,
            f"This is a backup of {_KINDS[manifest.database]}, and DATABASE_URL names {_KINDS[here]}.",
            f"Set DATABASE_URL to an empty database of {_KINDS[manifest.database]}.",
        )
    if not migrate.knows(manifest.schema_revision):
        raise SettingError(
            NAME, f"The backup has a newer schema ({manifest.schema_revision}) than this program.", _NEWER
        )
    keys = [fingerprint(key) for key in (deployment.secret_key, *deployment.secret_key_old)]
    if not any_key and manifest.keys[0] not in keys:
        raise SettingError("SECRET_KEY", _OTHER_KEY.format(manifest.keys[0], keys[0]), _KEY_HINT)


_NEWER = "Install the version that made it, or a newer one."
_OTHER_KEY = "The backup was made under another SECRET_KEY (fingerprint {}; the one here has {})."
_KEY_HINT = (
    "Put the secret.key (or SECRET_KEY) that belongs to it back, or give --other-key to enter all stored credentials "
    "anew afterwards."
)


def _put_file(database: Database, file: Path, manifest: Manifest, now: datetime, actor: str) -> Mapping[int, str]:
    """Make the file ready beside its place and move it there as the last thing."""
    place = Path(database.engine.url.database or "")
    if there := sqlite.files(place):
        names = ", ".join(each.name for each in there)
        hint = f"{in_use.STOP} Then move {names} elsewhere."
        raise SettingError(opening.NAME, f"There is a database already: {place}.", hint)
    with _folder(place.parent) as folder:
        made = folder / place.name
        archive.unpack(file, made)
        if not sqlite.is_whole(made):
            raise archive.damaged(file)
        with migrate.at(f"sqlite:///{made}") as copy:
            names_by_id = _make_safe(copy, file, manifest, now, actor)
        with made.open("rb") as written:
            os.fsync(written.fileno())
        made.rename(place)
    return names_by_id


def _put_dump(database: Database, file: Path, manifest: Manifest, now: datetime, actor: str) -> Mapping[int, str]:
    """Load the dump, and write the version of its schema with the states: without it nothing starts on the database."""
    with database.engine.connect() as connection:
        if inspect(connection).get_table_names():
            raise SettingError(opening.NAME, "The database holds tables already.", _EMPTY_ONE)
    with _folder(None) as folder:
        archive.unpack(file, folder / "dump")
        postgres.load(database.engine.url, folder / "dump", folder)
    return _make_safe(database, file, manifest, now, actor)


_EMPTY_ONE = "Make an empty database (createdb) and name it in DATABASE_URL."


@contextmanager
def _folder(beside: Path | None) -> Iterator[Path]:
    try:
        with TemporaryDirectory(dir=beside, prefix=".restore-") as folder:
            yield Path(folder)
    except OSError as error:
        sentence = f"{error.filename or beside} cannot be written: {error.strerror}."
        raise SettingError("INSTANCE_PATH", sentence, "Look at the disk.") from error


def _make_safe(database: Database, file: Path, manifest: Manifest, now: datetime, actor: str) -> dict[int, str]:
    """Check what came back, and see that no connector sends; the schema may be an older one at first.

    Raises SettingError (FILE) where a table has not the rows that it had.
    """
    with database.engine.connect() as connection:
        if not database.sqlite:
            version = text("INSERT INTO alembic_version (version_num) VALUES (:number)")
            connection.execute(version, {"number": manifest.schema_revision})
        if content.rows(connection) != dict(manifest.rows):
            raise archive.damaged(file)
        states = dict(connection.execute(text("SELECT id, state FROM connector")).tuples().all())
        connection.execute(text("UPDATE connector SET state = :state"), {"state": ConnectorState.READ_ONLY})
        connection.commit()
    migrate.upgrade(database.engine.url.render_as_string(hide_password=False))
    with database.write() as session:
        found = session.scalars(select(Connector).order_by(Connector.id)).all()
        for connector in found:
            connector.state = states[connector.id]
            restored.mark(connector, now, manifest.made_at)
        _audit(session, now, file, manifest, actor)
        return {connector.id: connector.name for connector in found}


def _audit(session: Session, now: datetime, file: Path, manifest: Manifest, actor: str) -> None:
    """Tell each organisation that what follows in its log comes after the moment of the backup."""
    made = {"backup of": [None, manifest.made_at.isoformat()], "state": ["as it was", ConnectorState.READ_ONLY]}
    for organisation_id in session.scalars(select(Organisation.id).order_by(Organisation.id)).all():
        audit.record(
            session,
            clock_now=now,
            organisation_id=organisation_id,
            actor=actor,
            action=AuditAction.RESTORED,
            entity=f"backup {file.name}",
            diff=made,
        )
