"""PostgreSQL: pg_dump and pg_restore do the work, and never see a password among their arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, Connection, text

from integration.errors import SettingError
from integration.masking import mask_text

_SAID_MAX_CHARS = 300


def snapshot(connection: Connection) -> str:
    """Return the name under which others see what this transaction sees, for as long as it lasts."""
    return str(connection.scalar(text("SELECT pg_export_snapshot()")))


def dump(url: URL, seen: str, to: Path) -> None:
    """Write what a snapshot sees to a new file in pg_dump's own form; raises SettingError (pg_dump)."""
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    options = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={seen}", f"--file={to}")
    _run("pg_dump", url, *options)


def load(url: URL, file: Path, folder: Path) -> None:
    """Put a dump into an empty database, all of it or nothing, but for the version of its schema.

    Without that no program takes the database for a whole one. `folder` is for a list of what is put back. Raises
    SettingError (pg_restore).
    """
    listed = _run("pg_restore", None, "--list", str(file))
    wanted = folder / "list"
    wanted.write_text("".join(line for line in listed.splitlines(keepends=True) if not _is_version(line)))
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--use-list={wanted}")
    _run("pg_restore", url, *options, str(file))


def others(connection: Connection) -> int:
    """Return how many other connections to this database there are that we may know of."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return connection.scalar(text(query + " AND backend_type = 'client backend'")) or 0


def _is_version(line: str) -> bool:
    words = line.split()
    return words[3:5] == ["TABLE", "DATA"] and "alembic_version" in words


def _run(name: str, url: URL | None, *options: str) -> str:
    """Run a program of PostgreSQL on a database, or on none, and return what it prints."""
    program = _program(name)
    environ = os.environ | ({"PGPASSWORD": url.password} if url is not None and url.password else {})
    done = subprocess.run([program, *_named(url), *options], env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(mask_text(done.stderr).split())[:_SAID_MAX_CHARS]
        raise SettingError(name, f"{name} failed: {said}", "Mend that and try again; nothing was changed.")
    return done.stdout


def _named(url: URL | None) -> Sequence[str]:
    """Return the option that names a database, without its password."""
    if url is None:
        return ()
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return (f"--dbname={plain.render_as_string(hide_password=False)}",)


def _program(name: str) -> str:
    """Return where a program of PostgreSQL is: Debian's own, which fits the newest server that is installed."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
    found = str(newest[-1]) if newest else shutil.which(name)
    if found is None:
        raise SettingError(name, f"{name} is not installed.", "Install PostgreSQL's client (postgresql-client).")
    return found


def _version(program: Path) -> int:
    name = program.parts[-3]
    return int(name) if name.isdigit() else 0
