"""A demo where one runs already: refused, and the one that runs goes on as it was."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.cli.started import ask, ends, start
from tests.postgres import free_port
from tests.waiting import wait_for


def addresses(environ: dict[str, str]) -> list[Any]:
    """What the installation keeps of where it, the store and Mautic are, and of links that were made."""
    with closing(sqlite3.connect(Path(environ["INSTANCE_PATH"]) / "woo-mautic.sqlite")) as database:
        return [
            database.execute("SELECT store_url, mautic_url, secrets FROM connector").fetchall(),
            database.execute("SELECT public_address FROM installation").fetchall(),
            database.execute("SELECT count(*) FROM audit_entry").fetchall(),
        ]


def test_a_second_demo_in_the_same_folder_is_refused_and_the_first_goes_on(environ: dict[str, str], run: Run) -> None:
    port = str(free_port())
    child, _ = start(environ, "demo", port)
    try:
        before, running = addresses(environ), ends(environ)
        for other in (port, str(free_port())):
            result = run("demo", PORT=other)
            assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
            assert result.err.startswith(f"Error: A demo runs in {environ['INSTANCE_PATH']}/demo already.")
        assert (addresses(environ), ends(environ)) == (before, running)
        assert run("check", "1").code == 0
        assert ask(port, "GET", "/healthz")[0] == 200
    finally:
        child.kill()
    child.wait(timeout=20)
    # What was killed leaves nothing behind that would have to be removed by hand.
    assert wait_for(lambda: ends(environ) == [])
    again, _ = start(environ, "demo", port)
    assert len(ends(environ)) == 1
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=40) == 0


def test_a_demo_in_another_folder_runs_beside_it(environ: dict[str, str], tmp_path: Path) -> None:
    child, _ = start(environ, "demo", str(free_port()))
    try:
        beside, _ = start(environ | {"INSTANCE_PATH": str(tmp_path / "other")}, "demo", str(free_port()))
        beside.send_signal(signal.SIGTERM)
        assert beside.wait(timeout=40) == 0
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0
