"""What the pages can do can be done by commands too: push, runs, dead letters, reconciliations, tokens (P102)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.inbound.bodies import CONTACT_EXAMPLE, ORDER_EXAMPLE
from integration.pipeline.runs import cancelling
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.cli.conftest import Run

Audited = Callable[[], tuple[str, dict[str, Any]]]


@pytest.fixture
def audited(quick: Run) -> Audited:
    """Returns action and diff of the newest audit entry."""

    def newest() -> tuple[str, dict[str, Any]]:
        [entry] = quick("audit", "list", "--limit", "1", "--json").json
        return entry["action"], entry["diff"]

    return newest


def write(tmp_path: Path, value: Any) -> str:
    file = tmp_path / "items.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return str(file)


def test_items_of_a_file_are_pushed(
    quick: Run, connected: str, tmp_path: Path, audited: Audited, mautic: MauticServer
) -> None:
    quick("fields", connected, "--create")
    wrong = ORDER_EXAMPLE | {"billing": {"email": "nobody"}}
    done = quick("push", connected, "orders", write(tmp_path, [ORDER_EXAMPLE, wrong]), "--json")
    assert done.code == 1
    assert [(each["id"], each["number"]) for each in done.json] == [("till-17", 1), ("till-17", None)]
    assert list(done.json[1]["fields"]) == ["billing.email"]
    assert audited() == ("RECEIVED", {"accepted": [None, 1]})
    lines = f"{json.dumps(CONTACT_EXAMPLE)}\n\n{json.dumps(CONTACT_EXAMPLE | {'id': 2, 'email': 'b@example.com'})}\n"
    assert quick("push", connected, "contacts", write(tmp_path, lines)).out == "2 taken, 0 refused.\n"
    assert quick("worker", "--until-idle").code == 0
    assert mautic.state.contact("ada@example.com") is not None
    rows = quick("records", connected, "--kind", "order", "--json").json
    assert [(row["source_id"], row["status"]) for row in rows] == [("api:till-17", "Success")]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"id": 1}\n{'])
def test_a_file_that_is_no_json_is_one_sentence(quick: Run, connected: str, tmp_path: Path, text: str) -> None:
    answer = quick("push", connected, "orders", write(tmp_path, text))
    assert (answer.code, answer.err.count("\n"), "The file" in answer.err) == (1, 0, True)
    off = quick("push", connected, "carts", write(tmp_path, "{}"))
    assert (off.code, "Abandoned Cart is switched off" in off.err) == (1, True)


def test_runs_are_listed_shown_and_cancelled(quick: Run, connected: str, audited: Audited) -> None:
    number = quick("sync", connected, "--kind", "full", "--json").json["run"]
    [row] = quick("runs", connected, "--json").json
    assert (row["id"], row["kind"], row["state"]) == (number, "full", "PENDING")
    assert quick("cancel", str(number)).code == 0
    assert audited()[0] == "SYNC_CANCELLED"
    shown = quick("run", str(number), "--json").json
    assert (shown["state"], [line["level"] for line in shown["lines"]][:1]) == ("CANCELLED", ["info"])
    assert quick("run", str(number)).out.startswith(f"id {number}, kind full")
    assert (quick("cancel", str(number)).code, quick("run", "77").code) == (1, 1)
    for args in (("--state", "odd"), ("--since", "soon"), ("--kind", "")):
        assert quick("runs", connected, *args).code == 2


@pytest.mark.parametrize("command", ["runs", "records", "dead-letters", "carts list", "subscriptions list"])
def test_an_id_that_no_entry_has_is_refused(quick: Run, connected: str, command: str) -> None:
    for text, said in (("0", "ids begin with 1; leave it out"), ("-1", "“before” is a number from 0")):
        refused = quick(*command.split(), connected, "--before", text)
        assert (refused.code, f"--before: {said}" in refused.err) == (2, True), text
    assert quick(*command.split(), connected, "--before", "1").code == 0


def test_an_id_of_a_run_or_of_a_finding_is_refused_as_well(quick: Run, connected: str) -> None:
    assert "--run: ids begin with 1" in quick("records", connected, "--run", "0").err
    quick("reconcile", "start", connected)
    for text, said in (("0", "ids begin with 1"), ("soon", "“soon” is no whole number.")):
        assert f"--after: {said}" in quick("reconcile", "findings", connected, "--after", text).err


def test_a_run_that_cannot_be_steered_says_why(quick: Run, connected: str) -> None:
    number = str(quick("sync", connected, "--kind", "full", "--json").json["run"])
    going = quick("resume", number)
    assert (going.code, going.err) == (1, "The run is going, or it has ended well. There is nothing to resume.")
    assert quick("pause-run", number).code == 0
    resting = quick("pause-run", number)
    assert (resting.code, "The run is not going, is being stopped already" in resting.err) == (1, True)
    for command in ("resume", "pause-run", "cancel", "run"):
        unknown = quick(command, "99")
        assert (unknown.code, unknown.err) == (1, "There is no run 99. See `woo-mautic runs`."), command


def test_a_paused_run_that_was_cancelled_ends_without_a_server_too(
    quick: Run, connected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = str(quick("sync", connected, "--kind", "full", "--json").json["run"])
    assert quick("pause-run", number).code == 0
    with monkeypatch.context() as dying:
        dying.setattr(cancelling, "_end_cancelled", lambda *_: None)
        assert quick("cancel", number).code == 0
    assert quick("run", number, "--json").json["state"] == "PAUSED"
    refused = quick("resume", number, "--wait")
    assert (refused.code, "The run is being cancelled." in refused.err) == (1, True)
    assert quick("worker", "--until-idle").code == 0
    assert quick("run", number, "--json").json["state"] == "CANCELLED"


@pytest.fixture
def dead(quick: Run, connected: str, store: StoreServer, tmp_path: Path, mautic: MauticServer) -> str:
    """The id of a dead letter: an order that Mautic refuses."""
    quick("fields", connected, "--create")
    mautic.faults.command({"kind": "status", "value": 400, "path": "/api/contacts"})
    assert quick("push", connected, "orders", write(tmp_path, ORDER_EXAMPLE)).code == 0
    assert quick("worker", "--until-idle").code == 0
    mautic.faults.clear()
    [row] = quick("dead-letters", connected, "--json").json
    return str(row["id"])


def test_dead_letters_are_corrected_and_sent_again(
    quick: Run, connected: str, dead: str, audited: Audited, mautic: MauticServer
) -> None:
    for args in ((), ("--ids", ""), ("--ids", "x"), ("--ids", dead, "--all"), ("--category", "odd", "--yes")):
        assert quick("replay", connected, *args).code == 2, args
    assert quick("dead-letters", connected, "--code", "none", "--json").json == []
    unknown = quick("edit", dead, "billing.mail=x")
    assert (unknown.code, "billing.email" in unknown.err) == (1, True)
    assert quick("edit", dead, "billing.email=bob@example.com").code == 0
    assert audited() == ("EDITED", {"billing.email": ["ada@example.com", "bob@example.com"]})
    assert quick("worker", "--until-idle").code == 0
    assert mautic.state.contact("bob@example.com") is not None
    assert quick("replay", connected, "--ids", dead, "--json").json == {"queued": 0, "busy": 0, "gone": 1}


def test_dead_letters_are_sent_again_and_discarded(quick: Run, connected: str, dead: str, audited: Audited) -> None:
    assert quick("replay", connected, "--ids", dead, "--json").json["queued"] == 1
    assert audited() == ("REPLAYED", {"records": [0, 1]})
    assert quick("discard", connected, "--all", "--reason", " ", "--yes").code == 2
    assert quick("discard", connected, "--ids", dead, "--reason", "x").code == 2
    run = quick("discard", connected, "--all", "--reason", "Old", "--yes", "--json").json["run"]
    assert audited()[0] == "DISCARDED"
    assert quick("worker", "--until-idle").code == 0
    assert quick("run", str(run), "--json").json["state"] == "COMPLETED"


def test_a_reconciliation_is_begun_listed_and_repaired(
    quick: Run, connected: str, store: StoreServer, audited: Audited, mautic: MauticServer
) -> None:
    assert quick("reconcile", "findings", connected).code == 1
    store.shop.place_order(status="completed", billing={"email": "ada@example.com"})
    quick("fields", connected, "--create")
    quick("sync", connected, "--kind", "initial", "--wait")
    [contact] = [each for each in mautic.state.contacts.values() if each.values.get("email") == "ada@example.com"]
    mautic.state.delete(contact)
    number = quick("reconcile", "start", connected, "--json").json["run"]
    assert quick("worker", "--until-idle").code == 0
    [row] = quick("reconcile", "list", connected, "--json").json
    assert (row["id"], row["state"], row["missing"]) == (number, "COMPLETED", 1)
    [found] = quick("reconcile", "findings", connected, "--kind", "missing", "--json").json
    assert quick("reconcile", "repair", connected).code == 2
    assert quick("reconcile", "repair", connected, "--ids", str(found["id"]), "--json").json == {"asked": 1}
    assert audited() == ("REPAIRED", {"records": [0, 1], "kind": ["", "all"]})


def test_tokens_are_made_listed_and_revoked(quick: Run, connected: str) -> None:
    made = quick("token", "make", "Till", "--scope", "write", "--scope", "logs", "--days", "5", "--json").json
    [row] = quick("token", "list", "--json").json
    assert (row["name"], row["scopes"], row["state"]) == ("Till", ["logs", "write"], "active")
    assert made["secret"] not in json.dumps(row)
    again = quick("token", "make", "till", "--scope", "write")
    assert (again.code, "There is a token" in again.err) == (1, True)
    assert quick("token", "make", "Other").code == 2
    assert quick("token", "revoke", str(made["id"])).code == 2
    assert quick("token", "revoke", str(made["id"]), "--yes").code == 0
    assert quick("token", "list", "--json").json[0]["state"] == "revoked"
    assert quick("token", "revoke", str(made["id"]), "--yes").code == 1


def test_a_connector_is_paused_debugged_and_its_log_exported(quick: Run, connected: str) -> None:
    assert [quick("pause", connected).code, quick("pause", connected).code] == [0, 1]
    assert [quick("unpause", connected).code, quick("unpause", connected).code] == [0, 1]
    assert quick("debug", connected, "--hours", "1").out == "Debug mode is on for 1 hour.\n"
    assert quick("debug", connected, "--hours", "168").out == "Debug mode is on for 168 hours.\n"
    assert [quick("debug", connected, *args).code for args in (("--off",), ("--hours", "169"))] == [0, 2]
    assert quick("debug", connected).code == 2
    assert quick("alerts", connected).out == "Nothing is wrong.\n"
    assert quick("fields", connected, "--create").code == 0
    entries = [json.loads(line) for line in quick("export-log", connected, "--format", "jsonl").out.splitlines()]
    assert {entry["action"] for entry in entries} == {"create_field"}
    assert "mautic_woo_order_count" in {entry["object_id"] for entry in entries}
    assert quick("export-log", connected, "--action", "skip").out.count("\n") == 1
    assert quick("export-log", connected, "--action", "odd").code == 2
