"""The audit log on the command line: listed, verified, and found out when it was tampered with."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def log(run: Run, connected: str) -> Run:
    """An installation whose audit log has two entries: the log of a connector was cleared twice."""
    for _ in range(2):
        assert run("clear-log", connected).code == 0
    return run


def test_an_untouched_log_is_verified_and_an_altered_one_is_not(log: Run, tmp_path: Path) -> None:
    fine = log("audit", "verify", "--json")
    assert fine.code == 0
    [chain, _] = fine.json
    assert (chain["ok"], chain["checked"], chain["not_covered"], len(chain["newest_hash"])) == (True, 2, 0, 64)
    name = chain["organisation"]
    assert f"{name}: verified, 2 entries; newest hash" in log("audit", "verify", "--organisation", name).out

    [entry, _] = log("audit", "list", "--json").json
    assert (entry["actor"], entry["action"], entry["diff"]["entries"]) == ("command line", "LOG_CLEARED", [0, 0])
    assert log("audit", "list", "--actor", "nobody", "--json").json == []

    [database] = (tmp_path / "instance").glob("*.sqlite*")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE audit_entry SET actor = 'somebody else' WHERE id = 2")
    broken = log("audit", "verify")
    assert broken.code == 1
    assert "BROKEN at entry 2. The entry was altered after it was written." in broken.out


def test_an_unknown_organisation_is_an_error(run: Run) -> None:
    answer = run("audit", "verify", "--organisation", "Nobody Ltd")
    assert answer.code == 1
    assert "There is no organisation “Nobody Ltd”." in answer.err


def test_times_are_in_the_zone_of_the_organisation(log: Run, tmp_path: Path) -> None:
    assert re.search(
        r"\d+ \w{3} \d{4}, \d\d:\d\d:\d\d JST  command line", log("audit", "list", TIMEZONE="Asia/Tokyo").out
    )
    [database] = (tmp_path / "instance").glob("*.sqlite*")
    with sqlite3.connect(database) as connection:
        connection.execute("""UPDATE connector SET store_facts = '{"timezone": "Asia/Kolkata"}'""")
    assert re.search(r"\d\d:\d\d:\d\d IST  command line", log("audit", "list", TIMEZONE="Asia/Tokyo").out)
    [entry, _] = log("audit", "list", "--json", TIMEZONE="Asia/Tokyo").json
    assert entry["time"].endswith("+00:00")
