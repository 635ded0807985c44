"""Makes a backup while the application works: what it holds is one moment of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from integration.clock import Clock
from integration.config import Deployment
from integration.errors import SettingError
from integration.models import migrate, opening
from integration.models.database import STEADY, Database
from integration.models.vault import Vault, fingerprint
from integration.operations.backup import archive, content, postgres, sqlite
from integration.operations.backup.archive import Manifest


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made; `key_is_lost` says that stored credentials cannot be read with the present key."""

    file: Path
    manifest: Manifest
    key_is_lost: bool


def make(deployment: Deployment, clock: Clock, file: Path) -> Backup:
    """Write a backup of the database to `file`, or into it where it is a folder, and return what was made.

    The database may be written meanwhile, and keeps the schema that it has. Raises SettingError for a database that
    cannot be opened or was never used, and for a file that is there already or cannot be written.
    """
    now = clock.now()
    target = file / archive.name_at(now) if file.is_dir() else file
    with archive.written(target) as part, TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        copy = Path(folder) / "database"
        with migrate.at(deployment.database_url) as database:
            made = _copied(database, copy, _Making(deployment, now))
        archive.pack(part, made[0], copy, packed=not database.sqlite)
    return Backup(target, *made)


@dataclass(frozen=True, slots=True)
class _Making:
    """What is noted of a database that is backed up at `now`."""

    deployment: Deployment
    now: datetime

    def noted(self, connection: Connection) -> tuple[Manifest, bool]:
        """Return what the backup says of itself, and whether stored credentials cannot be read."""
        revision = migrate.revision(connection)
        if revision is None:
            raise _EMPTY
        deployment = self.deployment
        keys = (deployment.secret_key, *deployment.secret_key_old)
        manifest = Manifest(
            made_at=self.now,
            database="sqlite" if connection.dialect.name == "sqlite" else "postgresql",
            schema_revision=revision,
            keys=tuple(map(fingerprint, keys)),
            address=content.address(connection),
            rows=content.rows(connection),
        )
        return manifest, content.key_is_lost(connection, Vault(keys[0], keys[1:]))


def _copied(database: Database, copy: Path, making: _Making) -> tuple[Manifest, bool]:
    """Write one moment of the database to a file and return what is noted of that moment."""
    if database.sqlite:
        if not Path(database.engine.url.database or "").is_file():
            raise _EMPTY
        sqlite.copy(database, copy)
        with sqlite.opened(copy) as connection:
            return making.noted(connection)
    with database.engine.connect().execution_options(isolation_level=STEADY) as connection:
        noted = making.noted(connection)
        postgres.dump(database.engine.url, postgres.snapshot(connection), copy)
        return noted


_EMPTY = SettingError(
    opening.NAME,
    "There is no database of woo-mautic yet.",
    "Check DATABASE_URL and INSTANCE_PATH.",
)
