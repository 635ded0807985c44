"""Who is told of what is wrong, by commands as on the page Alerts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from integration.cli import console
from integration.models.alert import AlertGroup, AlertNotice
from tests.cli.conftest import Run


def newest(quick: Run) -> tuple[str, str, dict[str, Any]]:
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    return entry["action"], entry["entity"], entry["diff"]


@pytest.fixture
def group(quick: Run, connected: str) -> str:
    made = quick("alert-groups", "add", "Shop team", "--emails=a@example.com, b@example.com", "--causes=failing")
    assert made.code == 0, made.err
    return made.out.strip()


def test_a_group_is_made_listed_changed_and_deleted(quick: Run, connected: str, group: str) -> None:
    assert newest(quick)[:2] == ("CREATED", "alert group Shop team")
    [row] = quick("alert-groups", "list", "--json").json
    assert (row["emails"], row["connectors"], row["causes"]) == (["a@example.com", "b@example.com"], "all", ["failing"])
    given = (f"--connectors={connected}", "--digest", "--webhook=https://chat.example.com/hooks/secret")
    diff = quick("alert-groups", "change", group, *given, "--json").json
    assert diff == {"connector_ids": [[], [int(connected)]], "digest": [False, True], "webhook": "changed"}
    assert newest(quick)[0] == "UPDATED"
    [row] = quick("alert-groups", "list", "--json").json
    assert (row["name"], row["webhook"], row["causes"]) == ("Shop team", "https://chat.example.com/…", ["failing"])
    assert "secret" not in quick("alert-groups", "list").out
    everywhere = quick("alert-groups", "change", group, "--connectors=all", "--json").json
    assert everywhere == {"connector_ids": [[int(connected)], []]}
    assert quick("alert-groups", "change", group, "--digest").out == "Nothing has changed.\n"
    assert quick("alert-groups", "delete", group).code == 2
    assert quick("alert-groups", "delete", group, "--yes").code == 0
    assert newest(quick)[0] == "DELETED"
    assert "nobody is told" in quick("alert-groups", "list").out


def test_what_cannot_be_used_is_said_and_changes_nothing(quick: Run, group: str) -> None:
    before = quick("alert-groups", "list").out
    for option, code, said in (
        ("--connectors=", 2, "names nothing"),
        ("--causes= , ", 2, "names nothing"),
        ("--causes=weather", 1, "There is no cause “weather”"),
        ("--connectors=77", 1, "does not exist any more"),
        ("--emails=", 1, "has no recipient"),
        ("--emails=nobody", 1, "is no e-mail address"),
        ("--webhook=ftp://x", 1, "not a web address"),
    ):
        done = quick("alert-groups", "change", group, option)
        assert (done.code, said in done.err) == (code, True), (option, done.err)
    assert quick("alert-groups", "list").out == before


def test_a_test_message_is_owed_to_the_group(quick: Run, group: str) -> None:
    assert quick("alert-groups", "test", group).code == 0
    with console.opened() as services, services.db.read() as session:
        assert [row.what for row in session.scalars(select(AlertNotice))] == ["test"]
        assert session.scalars(select(AlertGroup.name)).all() == ["Shop team"]
    for command in ("test", "delete", "change"):
        wrong = quick("alert-groups", command, "77")
        assert (wrong.code, "There is no group 77" in wrong.err) == (1, True)
