"""A start on a database, key or setting that cannot be used: one sentence on standard error, exit code 1."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from integration.models.disk_faults import FULL, READ_ONLY
from tests.cli.conftest import Result, Run
from tests.cli.started import start
from tests.postgres import free_port


def refused(result: Result, said: str) -> None:
    """Expect one line that says it."""
    assert result.code == 1, result.err
    assert said in result.err
    assert result.err.count("\n") == 1
    assert result.err.startswith("Error: ")


@pytest.fixture
def folder(environ: dict[str, str]) -> Path:
    """The instance folder, made."""
    made = Path(environ["INSTANCE_PATH"])
    made.mkdir()
    return made


def no_database(path: Path) -> None:
    path.write_bytes(b"This is a letter to my aunt. " * 200)


def damaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.executescript("CREATE TABLE alembic_version (version_num TEXT); CREATE TABLE a (b TEXT);")
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.executescript("CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES (99);")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (no_database, "is not a SQLite database"),
        (damaged, "is damaged"),
        (newer, "is newer than this program"),
        (Path.mkdir, "cannot be opened"),
    ],
)
@pytest.mark.parametrize("command", ["connectors", "serve"])
def test_a_file_that_is_no_database_of_ours_is_said(
    run: Run, folder: Path, made: Callable[[Path], None], said: str, command: str
) -> None:
    made(folder / "woo-mautic.sqlite")
    refused(run(command, PORT=str(free_port())), said)


def test_a_database_that_somebody_holds_is_said(run: Run, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "woo-mautic.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused(run("connectors"), "locked by another process")


_LIMITED = """
from sqlalchemy import event
from sqlalchemy.pool import Pool
event.listen(Pool, "connect", lambda connection, record: connection.execute("PRAGMA {limit}"))
from integration.cli import main
main()
"""


def limited(environ: dict[str, str], limit: str, *args: str) -> Result:
    """Run a command on a database that SQLite itself keeps from growing, or from being written."""
    command = [sys.executable, "-c", _LIMITED.format(limit=limit), *args]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=90)
    return Result(done.returncode, done.stdout, done.stderr)


def test_a_full_disk_is_said(run: Run, environ: dict[str, str]) -> None:
    refused(limited(environ, "max_page_count=5", "connectors"), str(FULL))
    environ["WOO_MAUTIC_PASSWORD"] = "correct horse battery"
    assert run("user", "add", "ada@example.com").code == 0
    refused(limited(environ, "query_only=1", "user", "add", "bob@example.com"), str(READ_ONLY))
    assert "ada@example.com" in limited(environ, "query_only=1", "user", "list").out


def test_a_newest_database_is_read_while_somebody_holds_it(run: Run, folder: Path) -> None:
    assert run("connectors").code == 0
    with closing(sqlite3.connect(folder / "woo-mautic.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert run("connectors").code == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all.sqlite", "cannot be opened"),
        ("postgresql://u:geheim@127.0.0.1:{port}/x", "PostgreSQL does not answer"),
        ("postgresql://u:geheim@nowhere.invalid/x", "PostgreSQL does not answer"),
        ("postgresql://u:geheim@127.0.0.1:notaport/x", "DATABASE_URL cannot be read"),
        ("postgresql://u:geheim@[::1/x", "DATABASE_URL"),
    ],
)
def test_a_database_that_cannot_be_reached_is_said(run: Run, url: str, said: str) -> None:
    result = run("connectors", DATABASE_URL=url.format(port=free_port()))
    refused(result, said)
    assert "geheim" not in result.err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x80" * 20, "schlüssel".encode() * 5, b"", b"short"])
def test_an_odd_key_is_said(run: Run, folder: Path, content: bytes) -> None:
    (folder / "secret.key").write_bytes(content)
    result = run("connectors")
    assert result.code == 1
    assert "secret.key" in result.err or "SECRET_KEY" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("url", ["http://x:99999", "http://[::1", "http://x:0", "http://", "ftp://x"])
def test_an_odd_address_is_said(run: Run, url: str) -> None:
    refused(run("connectors", PUBLIC_URL=url), "PUBLIC_URL")


@pytest.mark.parametrize("content", ["PORT = 1 / 0", "import nowhere_at_all", "PORT = (", "\x00"])
def test_a_settings_file_that_fails_is_said(run: Run, folder: Path, content: str) -> None:
    (folder / "config.py").write_text(content)
    result = run("connectors")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "config.py" in result.err


def test_a_lost_key_is_said_by_each_command(run: Run, connected: str, environ: dict[str, str]) -> None:
    key = Path(environ["INSTANCE_PATH"]) / "secret.key"
    kept = key.read_text()
    key.unlink()
    result = run("connectors")
    assert (result.code, "that belongs to this database is missing" in result.err) == (0, True)
    assert run("check", connected).code == 1
    key.write_text(kept)
    assert run("connectors").err == ""
    assert run("check", connected).code == 0


def test_commands_use_the_address_at_which_the_pages_are_served(run: Run, environ: dict[str, str]) -> None:
    port = str(free_port())
    child, _ = start(environ, "serve", port)
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0
    link = run("user", "link", "admin@localhost.localdomain").out
    assert link.startswith(f"http://127.0.0.1:{port}/sign-in/link/")
    named = run("user", "link", "admin@localhost.localdomain", PUBLIC_URL="https://woo.example").out
    assert named.startswith("https://woo.example/sign-in/link/")


def test_no_control_character_reaches_the_terminal(run: Run, connected: str, environ: dict[str, str]) -> None:
    with closing(sqlite3.connect(Path(environ["INSTANCE_PATH"]) / "woo-mautic.sqlite")) as database:
        database.execute("UPDATE connector SET name = 'a' || char(27) || '[31mb' || char(13)")
        database.commit()
    shown = run("connectors").out
    assert r"a\x1b[31mb\r" in shown
    assert "\x1b" not in shown
    assert run("connectors", "--json").code == 0
