"""The audit log on the command line: listed, verified, and found out when it was tampered with."""

from __future__ import annotations

import json
import os
import pwd
import re
import sqlite3
from pathlib import Path

import click
import pytest

from integration.cli import root
from integration.sandbox.store import StoreServer
from tests.cli.conftest import Run

ACTOR = f"command line: {pwd.getpwuid(os.getuid()).pw_name}"
#: Commands that only read, or serve, work and ask: what they do is written elsewhere, or nothing is changed.
READING = {
    *("serve", "demo", "worker", "connectors", "check", "export-settings", "log", "bundle", "mapping"),
    *("audit list", "audit verify", "user list", "runs", "run", "records", "dead-letters", "export-log", "alerts"),
    *("reconcile list", "reconcile findings", "token list"),
    *("settings export", "field-mapping show", "field-mapping versions"),
    *("alert-groups list", "storage show", "carts list", "carts show", "subscriptions list", "subscriptions show"),
    # The message that it owes stands among those of the group.
    "alert-groups test",
    # They are about the database as a whole: there is none to write in, or none of this schema.
    *("backup", "migrate"),
}
CHANGING = {
    "connect": ("CREATED", ()),
    "configure": ("UPDATED", ("1", "orders.notes=yes")),
    "fields": ("FIELDS_CREATED", ("1", "--create")),
    "webhooks": ("WEBHOOKS_CHANGED", ("1", "--register")),
    "sync": ("SYNC_TRIGGERED", ("1", "--kind", "full")),
    "resume": ("SYNC_TRIGGERED", ()),
    "cancel": ("SYNC_CANCELLED", ("1",)),
    "confirm-store": ("STORE_CONFIRMED", ()),
    "restore": ("RESTORED", ()),
    "pause": ("PAUSED", ("1",)),
    "pause-run": ("SYNC_PAUSED", ()),
    "unpause": ("RESUMED", ("1",)),
    "debug": ("DEBUG_ON", ("1", "--hours", "2")),
    "push": ("RECEIVED", ()),
    "replay": ("REPLAYED", ("1", "--all", "--yes")),
    "discard": ("DISCARDED", ()),
    "edit": ("EDITED", ()),
    "reconcile start": ("SYNC_TRIGGERED", ("1",)),
    "reconcile repair": ("REPAIRED", ()),
    "token make": ("TOKEN_CHANGED", ("Till", "--scope", "write")),
    "token revoke": ("TOKEN_CHANGED", ("1", "--yes")),
    "clear-log": ("LOG_CLEARED", ("1", "--yes")),
    "delete": ("DELETED", ()),
    "uninstall": ("UNINSTALLED", ()),
    "erase": ("ERASURE_ASKED", ()),
    "field-mapping set": ("UPDATED", ()),
    "settings import": ("UPDATED", ()),
    "settings reset": ("UPDATED", ()),
    "rotate-secrets": ("UPDATED", ()),
    "alert-groups add": ("CREATED", ("Team", "--emails=ada@example.com")),
    "alert-groups change": ("UPDATED", ("1", "--digest")),
    "alert-groups delete": ("DELETED", ("1", "--yes")),
    "storage set": ("UPDATED", ("errors=200",)),
    "carts send": ("REPLAYED", ()),
    "carts forget": ("DELETED", ()),
    "subscriptions forget": ("DELETED", ()),
    "user add": ("USER_CHANGED", ("ada@example.com", "--password", "correct horse battery")),
    "user role": ("USER_CHANGED", ("ada@example.com", "support")),
    "user password": ("USER_CHANGED", ("ada@example.com", "--password", "another long one")),
    "user link": ("USER_CHANGED", ("ada@example.com",)),
    "user disable": ("USER_CHANGED", ("ada@example.com",)),
    "user enable": ("USER_CHANGED", ("ada@example.com",)),
}


#: Those that need more than a connector; each has a test of its own.
APART = (
    *("delete", "uninstall", "erase", "resume", "pause-run", "confirm-store", "push", "discard", "edit", "restore"),
    *("reconcile repair", "field-mapping set", "settings import", "settings reset", "rotate-secrets"),
    *("carts send", "carts forget", "subscriptions forget"),
)


def test_every_command_that_changes_something_is_audited(quick: Run, connected: str) -> None:
    for name, (action, args) in CHANGING.items():
        if name in APART:
            continue
        if args:
            assert quick(*name.split(), *args).code == 0, name
        [entry] = quick("audit", "list", "--limit", "1", "--json").json
        assert (entry["action"], entry["actor"], entry["ip"]) == (action, ACTOR, ""), name
        assert entry["diff"], name
    assert len(quick("audit", "list", "--limit", "100", "--json").json) == len(CHANGING) - len(APART)
    nothing = quick("configure", connected, "orders.notes=yes")
    assert (nothing.code, nothing.out) == (0, "Nothing has changed.\n")
    assert len(quick("audit", "list", "--limit", "100", "--json").json) == len(CHANGING) - len(APART)


def test_a_paused_run_is_audited(quick: Run, connected: str) -> None:
    assert quick("sync", connected, "--kind", "full").code == 0
    assert quick("pause-run", "1", "--json").json == {"run": 1, "paused": True}
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    assert (entry["action"], entry["actor"], entry["entity"]) == ("SYNC_PAUSED", ACTOR, "run 1")
    assert quick("resume", "1").code == 0


def test_a_resumed_run_is_audited(quick: Run, connected: str, tmp_path: Path) -> None:
    assert quick("sync", connected, "--kind", "full").code == 0
    [database] = (tmp_path / "instance").glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE run SET state = 'FAILED', ended_at = created_at")
    assert quick("resume", "1").code == 0
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    assert (entry["action"], entry["actor"], entry["entity"]) == ("SYNC_TRIGGERED", ACTOR, "run 1")
    assert entry["diff"] == {"goes on": [1, 1]}


def test_what_is_said_of_a_changed_store_is_audited(quick: Run, connected: str, tmp_path: Path) -> None:
    assert quick("confirm-store", connected).code == 2
    assert "Nobody waits for this answer" in quick("confirm-store", connected, "--same").err
    doubt = {"home": "https://a.example", "doubt": {"sentence": "It moved.", "home": "https://b.example"}}
    doubt["doubt"] |= {"was": "active", "at": "2026-11-20T11:00:00+00:00"}
    [database] = (tmp_path / "instance").glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE connector SET state = 'read_only', fingerprint = ?", (json.dumps(doubt),))
    refused = quick("sync", connected, "--kind", "initial")
    assert (refused.code, "The connector is read-only. It moved." in refused.err) == (1, True)
    assert quick("confirm-store", connected, "--copy", "--json").json["state"] == "read_only"
    assert quick("confirm-store", connected, "--same", "--json").json["state"] == "active"
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    assert (entry["action"], entry["actor"]) == ("STORE_CONFIRMED", ACTOR)
    assert entry["diff"]["home"] == ["https://a.example", "https://b.example"]


def test_a_deleted_connector_leaves_its_settings(
    quick: Run, connected: str, store: StoreServer, tmp_path: Path
) -> None:
    assert quick("webhooks", connected, "--register").code == 0
    assert quick("delete", connected).code == 2
    done = quick("delete", connected, "--yes", "--export", str(tmp_path / "shop.json"))
    assert (done.code, done.err) == (0, "")
    assert json.loads((tmp_path / "shop.json").read_text())["name"] == "Shop"
    assert store.state.webhooks == {}
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    assert (entry["action"], entry["actor"], entry["connector"]) == ("DELETED", ACTOR, 1)
    assert entry["diff"]["settings"][0]["name"] == "Shop"
    assert quick("connectors", "--json").json == []


def test_who_used_sudo_is_named(quick: Run, connected: str) -> None:
    assert quick("configure", connected, "orders.notes=yes", SUDO_USER="ada").code == 0
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    assert entry["actor"] == f"{ACTOR} (sudo by ada)"


def test_each_command_reads_or_is_audited() -> None:
    names = {
        f"{name} {inner}".strip()
        for name in root.list_commands(click.Context(root))
        for inner in getattr(root.get_command(click.Context(root), name), "commands", [""])
    }
    assert names == READING | CHANGING.keys()


@pytest.fixture
def log(run: Run, connected: str) -> Run:
    """An installation whose audit log has three entries: a connector was made and its log cleared twice."""
    for _ in range(2):
        assert run("clear-log", connected, "--yes").code == 0
    return run


def test_an_untouched_log_is_verified_and_an_altered_one_is_not(log: Run, tmp_path: Path) -> None:
    fine = log("audit", "verify", "--json")
    assert fine.code == 0
    [chain, _] = fine.json
    assert (chain["ok"], chain["checked"], chain["not_covered"], len(chain["newest_hash"])) == (True, 3, 0, 64)
    name = chain["organisation"]
    assert f"{name}: verified, 3 entries; newest hash" in log("audit", "verify", "--organisation", name).out

    [entry, *_] = log("audit", "list", "--json").json
    assert (entry["actor"], entry["action"], entry["diff"]["entries"]) == (ACTOR, "LOG_CLEARED", [0, 0])
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
        rf"\d+ \w{{3}} \d{{4}}, \d\d:\d\d:\d\d JST  {ACTOR}", log("audit", "list", TIMEZONE="Asia/Tokyo").out
    )
    [database] = (tmp_path / "instance").glob("*.sqlite*")
    with sqlite3.connect(database) as connection:
        connection.execute("""UPDATE connector SET store_facts = '{"timezone": "Asia/Kolkata"}'""")
    assert re.search(rf"\d\d:\d\d:\d\d IST  {ACTOR}", log("audit", "list", TIMEZONE="Asia/Tokyo").out)
    [entry, *_] = log("audit", "list", "--json", TIMEZONE="Asia/Tokyo").json
    assert entry["time"].endswith("+00:00")
