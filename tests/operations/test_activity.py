"""The activity feed: what it tells, in which order, to whom, and page after page without a loss."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert

from integration.models import AuditAction, Delivery, Hold, Run
from integration.models.alert import Alert
from integration.models.drift import Gap, Reconciliation
from integration.operations import audit
from integration.operations.monitoring import activity
from integration.operations.monitoring.activity import ActivityQuery, feed, minutes
from integration.operations.monitoring.activity.event import FeedPosition
from tests.operations.conftest import NOW, Scene, connector

MINUTE = timedelta(minutes=1)
#: More than one question is asked about.
MANY = 130
Told = list[tuple[str, str]]


def ago(minutes: float) -> datetime:
    return NOW - minutes * MINUTE


def add(scene: Scene, *rows: Any) -> None:
    with scene.db.write() as session:
        session.add_all(rows)


def ask(scene: Scene, *connectors: int, size: int = 100, whole: bool = False, **asked: str) -> activity.Feed:
    query, notices = ActivityQuery.parse(1, 1, connectors or (1, 2), asked)
    assert notices == []
    with scene.db.read() as session:
        return activity.read(session, ActivityQuery(**{**vars(query), "size": size}), whole=whole)


def told(scene: Scene, **asked: Any) -> Told:
    return [(event.kind, event.title) for event in ask(scene, **asked).events]


def run(number: int, started: float, ended: float | None = None, **values: Any) -> Run:
    given: dict[str, Any] = {"connector_id": 1, "kind": "full", "state": "RUNNING" if ended is None else "COMPLETED"}
    times = {"created_at": ago(started), "ended_at": None if ended is None else ago(ended)}
    return Run(id=number, correlation_id=str(number), **{**given, **times, **values})


def delivery(number: int, at: datetime, state: str = "dead", **values: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"connector_id": 1, "error_code": "rejected", "error": "Mautic refused the e-mail address."}
    moments = {"due_at": at, "payload_at": at, "created_at": at, "settled_at": at}
    names = {name: str(number) for name in ("source_id", "event", "identity", "person_key")}
    died = at if state == "dead" else None
    return {**given, **moments, **names, "kind": "order", "origin": "poll", "state": state, "died_at": died, **values}


def deliver(scene: Scene, rows: list[dict[str, Any]]) -> None:
    with scene.db.write() as session:
        for row in rows:
            session.execute(insert(Delivery).values(**row))


def change(scene: Scene, action: AuditAction = AuditAction.UPDATED, minutes: float = 1, **values: Any) -> None:
    given = {"organisation_id": 1, "connector_id": 1, "actor": "ann@owner.test", "entity": "settings"}
    with scene.db.write() as session:
        audit.record(session, clock_now=ago(minutes), action=action, **{**given, **values})


def test_a_run_is_told_when_it_starts_and_when_it_ends(scene: Scene) -> None:
    add(scene, run(1, 60, 30, trigger="ann@owner.test", pulled=1200, pushed=1100, skipped=90, failed=10))
    add(scene, run(2, 20, 10, state="FAILED", error="The store did not answer."), run(3, 5, kind="initial"))
    assert told(scene) == [
        ("run", "Initial import 3 started."),
        ("run", "Full sync 2 failed: 0 read, 0 sent, 0 skipped, 0 failed."),
        ("run", "Full sync 2 started."),
        ("run", "Full sync 1 completed: 1,200 read, 1,100 sent, 90 skipped, 10 failed."),
        ("run", "Full sync 1 started."),
    ]
    feed = ask(scene)
    assert [event.level for event in feed.events] == ["info", "bad", "info", "warn", "info"]
    assert feed.events[1].detail == "The store did not answer."
    assert (feed.events[4].detail, feed.events[4].about) == ("Started by ann@owner.test.", {"run_id": 1})


def test_polls_that_found_nothing_are_told_only_when_asked_for(scene: Scene) -> None:
    add(scene, run(1, 30, 29, kind="incremental"), run(2, 20, 19, kind="incremental", pulled=1))
    add(scene, run(3, 10, kind="incremental"))
    assert told(scene) == [
        ("run", "Incremental sync 3 started."),
        ("run", "Incremental sync 2 completed: 1 read, 0 sent, 0 skipped, 0 failed."),
    ]
    assert told(scene, kind="poll") == [("poll", "Incremental sync 1 completed: 0 read, 0 sent, 0 skipped, 0 failed.")]


def test_conditions_are_told_when_they_begin_and_end(scene: Scene) -> None:
    why = {"sentence": "Mautic did not answer.", "connector_id": 1}
    add(scene, Hold(service="mautic", code="x", since=ago(90), probe_at=NOW, released_at=ago(30), **why))
    add(scene, Alert(cause="held", since=ago(80), ended_at=ago(29), **why))
    add(scene, Alert(cause="dead", since=ago(10), sentence="Records fail.", connector_id=1))
    add(scene, Gap(connector_id=1, cause="silent", sentence="None for an hour.", noticed_at=ago(50), healed_at=ago(40)))
    done = {"state": "COMPLETED", "pulled": 1000, "missing": 2, "differs": 1, "ended_at": ago(5)}
    add(scene, Reconciliation(connector_id=1, trigger="schedule", created_at=ago(8), **done))
    assert [title for _, title in told(scene)] == [
        "Reconciliation 1 ended: 1,000 people looked at, 2 missing, 1 different.",
        "Reconciliation 1 started.",
        "Alert: Records fail.",
        "Over after 51 minutes: Mautic did not answer.",
        "Sending to Mautic goes on.",
        "Webhooks come again: 0 records were fetched that they had missed.",
        "Webhooks did not come: None for an hour.",
        "Alert: Mautic did not answer.",
        "Sending to Mautic is on hold: Mautic did not answer.",
    ]
    assert "on hold for 1 hour" in ask(scene, kind="hold").events[0].detail


def test_failed_records_are_one_event_a_minute_and_cause(scene: Scene) -> None:
    minute = ago(10).replace(second=0, microsecond=0)
    rows = [delivery(number, minute + timedelta(seconds=5 * number)) for number in range(12)]
    rows += [delivery(20, minute + 3 * MINUTE, error_code="other", error="No e-mail address."), delivery(21, ago(60))]
    gone = {"died_at": ago(120), "error_code": "", "error": ""}
    rows += [delivery(30, ago(100), "delivered", **gone)]
    deliver(scene, rows)
    feed = ask(scene)
    assert [event.title for event in feed.events] == [
        "1 record failed: No e-mail address.",
        "12 records failed: Mautic refused the e-mail address.",
        "1 record failed: Mautic refused the e-mail address.",
        "1 record failed.",
    ]
    assert feed.events[1].at == minute + timedelta(seconds=55)
    assert (feed.events[3].level, feed.events[3].detail) == ("muted", "Dealt with since.")


def test_a_minute_says_how_many_still_wait(scene: Scene) -> None:
    minute = ago(10).replace(second=0, microsecond=0)
    sent = [delivery(number, minute, "discarded", died_at=minute) for number in range(3)]
    deliver(scene, [*sent, delivery(9, minute)])
    [event] = ask(scene).events
    assert (event.level, event.detail) == ("bad", "1 of them still wait; the others were dealt with.")


def test_conflicts_are_told_by_the_minute(scene: Scene) -> None:
    values = {"error_code": "conflict", "error": "The city was kept."}
    deliver(scene, [delivery(number, ago(10), "conflict", **values) for number in range(3)])
    assert told(scene) == [
        ("conflict", "3 contacts were changed in Mautic by somebody else; those values were kept."),
    ]


def test_changes_are_told_whole_only_to_those_who_may_see_them(scene: Scene) -> None:
    change(scene, diff={"orders.notes": [False, True]}, minutes=3)
    for quiet in (AuditAction.SIGNED_IN, AuditAction.SYNC_TRIGGERED, AuditAction.USER_CHANGED):
        change(scene, quiet)
    change(scene, AuditAction.PAUSED, entity="Shop 1", minutes=2)
    assert told(scene) == [("change", "Paused: Shop 1."), ("change", "Changed: settings.")]
    [_, plain] = ask(scene).events
    assert (plain.actor, dict(plain.diff)) == ("", {})
    [_, whole] = ask(scene, whole=True).events
    assert (whole.actor, dict(whole.diff)) == ("ann@owner.test", {"orders.notes": [False, True]})


def test_only_the_wanted_connectors_are_told_of(scene: Scene) -> None:
    add(scene, run(1, 10), run(2, 5, connector_id=2))
    change(scene, connector_id=2, minutes=4)
    change(scene, connector_id=None, entity="the organisation", minutes=3)
    change(scene, connector_id=None, organisation_id=2, minutes=3)
    assert told(scene) == [("run", "Full sync 1 started.")]
    everything = ["Changed: the organisation.", "Changed: settings.", "Full sync 2 started.", "Full sync 1 started."]
    assert [title for _, title in told(scene, scope="all")] == everything
    assert [event.connector_id for event in ask(scene, scope="all").events] == [None, 2, 2, 1]


def fill(scene: Scene) -> int:
    """Write events of all sources, many at the same moment, and return how many there are."""
    moments = [ago(number // 4) for number in range(24)]
    add(scene, *[run(number + 1, 0, 0, created_at=at, ended_at=at) for number, at in enumerate(moments)])
    why = {"sentence": "Down.", "connector_id": 1}
    add(scene, *[Hold(service="store", code="x", since=at, probe_at=at, released_at=at, **why) for at in moments])
    add(scene, *[Alert(cause="held", since=at, ended_at=at, **why) for at in moments])
    deliver(scene, [delivery(number, at, error_code=str(number % 4)) for number, at in enumerate(moments)])
    for number in range(24):
        change(scene, minutes=(23 - number) // 4)
    return 24 * (2 + 2 + 2 + 1 + 1)


def pages_of(scene: Scene, size: int) -> list[str]:
    """Return the places of all events, read page by page."""
    paged: list[str] = []
    before: dict[str, str] = {}
    while True:
        feed = ask(scene, size=size, **before)
        assert 0 < len(feed.events) <= size
        paged += [str(event.place) for event in feed.events]
        if not feed.older:
            return paged
        before = {"before": feed.older}


def test_pages_go_on_behind_more_failures_of_a_minute_than_a_page_looks_at(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = ago(30).replace(second=0, microsecond=0)
    add(scene, run(1, 60, 50), run(2, 30, 29), run(3, 5))
    many = [delivery(number, minute + timedelta(seconds=number), error_code=str(number % 2)) for number in range(30)]
    kept = [delivery(number, ago(40 + number), "conflict") for number in range(40, 52)]
    deliver(scene, [*many, *kept, delivery(60, ago(55)), delivery(61, ago(1), error_code="", error="")])
    whole = ask(scene, size=1000)
    monkeypatch.setattr(minutes, "LOOKED_AT_MAX", 5)
    for size in (1, 3, 50):
        assert pages_of(scene, size) == [str(event.place) for event in whole.events]
    titles = [event.title for event in ask(scene, kind="dead").events]
    assert titles[1:] == ["15 records failed: Mautic refused the e-mail address."] * 2
    assert not ask(scene).total.exact


@pytest.mark.parametrize("size", [1, 7, 50])
def test_pages_follow_each_other_without_loss_or_repetition(scene: Scene, size: int) -> None:
    number = fill(scene)
    whole = [str(event.place) for event in ask(scene, size=1000).events]
    assert len(set(whole)) == number
    paged = pages_of(scene, size)
    assert paged == whole
    assert ask(scene, scope="all", before=paged[-1]).total == ask(scene, scope="all").total == (number, True)


def test_days_and_kinds_filter(scene: Scene) -> None:
    day = 60 * 24
    add(scene, run(1, 3 * day, 2 * day), run(2, day), Hold(connector_id=1, service="store", code="x", sentence="Down.",
        since=ago(2 * day), probe_at=NOW))  # fmt: skip
    deliver(scene, [delivery(1, ago(2 * day)), delivery(2, ago(day))])
    assert told(scene, since="2026-05-02", until="2026-05-02") == [
        ("run", "Full sync 1 completed: 0 read, 0 sent, 0 skipped, 0 failed."),
        ("hold", "Reading the store is on hold: Down."),
        ("dead", "1 record failed: Mautic refused the e-mail address."),
    ]
    assert told(scene, kind="hold", until="2026-05-03") == [("hold", "Reading the store is on hold: Down.")]
    assert told(scene, until="2026-05-01") == [("run", "Full sync 1 started.")]


def test_a_place_survives_its_address() -> None:
    place = FeedPosition(NOW + timedelta(microseconds=7), 31, 12345)
    assert FeedPosition.parse(str(place)) == place
    assert str(place) == "20260504T103000000007-31-12345"


@pytest.mark.parametrize(
    ("asked", "notice"),
    [
        ({"kind": "party"}, "There is no kind “party”. That filter was left out."),
        ({"scope": "mine"}, "There is no scope “mine”. That filter was left out."),
        ({"since": "x"}, "“x” is no date; write it like 2026-11-20. That filter was left out."),
        ({"before": "7"}, "There is no place “7” in the feed; the newest events are shown."),
        ({"before": "20269999T000000000000-1-1"}, "There is no place “20269999T000000000000-1-1” in the feed;"),
        ({"before": "٢0260504T103000000007-1-1"}, "There is no place “٢0260504T103000000007-1-1” in the feed;"),
    ],
)
def test_a_value_that_cannot_be_used_is_left_out_with_a_notice(asked: dict[str, str], notice: str) -> None:
    query, notices = ActivityQuery.parse(1, 1, (1, 2), asked)
    assert [text[: len(notice)] for text in notices] == [notice]
    assert query == ActivityQuery(organisation_id=1, connectors=(1,))


def test_an_address_holds_what_is_not_usual() -> None:
    asked = {"scope": "all", "kind": "run", "since": "2026-05-01", "before": "20260504T103000000007-31-12345"}
    query, _ = ActivityQuery.parse(1, 1, (1, 2), asked)
    assert query.args() == asked
    assert query.filtered
    assert not ActivityQuery(organisation_id=1, connectors=(1,), scope="all", before=query.before).filtered


Statements = list[tuple[str, Any]]


@pytest.fixture
def statements(scene: Scene) -> Statements:
    """What the database is asked from now on, with the values."""
    seen: Statements = []
    event.listen(scene.db.engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    return seen


def test_the_sync_log_and_the_attempts_are_left_alone(scene: Scene, statements: Statements) -> None:
    ask(scene, scope="all", whole=True)
    asked = [statement for statement, _ in statements if statement.startswith("SELECT")]
    # How far back the page looks, its events, and how many there are; of events there are none whose rows are read.
    assert len(asked) == 3
    assert not [each for each in asked if "sync_log" in each or "FROM attempt" in each]
    assert all("LIMIT" in each for each in asked)


# PostgreSQL reads small tables whole.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("before", "asked"), [("", 6), (str(FeedPosition(NOW, 1, 1)), 8)])
def test_large_tables_are_read_by_their_indexes(scene: Scene, statements: Statements, before: str, asked: int) -> None:
    ask(scene, scope="all", before=before)
    large = [(text, values) for text, values in statements if "FROM delivery" in text or "FROM run" in text]
    with scene.db.read() as session:
        raw = session.connection().exec_driver_sql
        plans = [raw(f"EXPLAIN QUERY PLAN {text}", values).all() for text, values in large]
    used = re.findall(r"SEARCH \w+ USING (?:COVERING )?INDEX (\w+)", str(plans))
    assert not re.findall(r"SCAN (?:delivery|run)\b", str(plans))
    # Of each connector: how far back the page looks, its minutes, and how many there are. How far back the first page
    # looks is asked once more on any other.
    assert used.count("ix_delivery_died_minute") == asked
    assert used.count("ix_delivery_conflict_minute") == asked


def test_a_page_asks_once_for_its_places_and_once_a_table_for_its_rows(scene: Scene, statements: Statements) -> None:
    number = fill(scene)
    asked = len(statements)
    assert len(ask(scene, size=1000).events) == number
    tables = re.findall(r"FROM (\w+) \nWHERE \1\.id ", "".join(text for text, _ in statements[asked:]))
    assert sorted(tables) == ["alert", "audit_entry", "delivery", "hold", "run"]


@pytest.mark.parametrize("pieces", [feed.CONNECTORS_AT_ONCE, 7])
def test_an_organisation_with_very_many_connectors_has_one_feed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr(feed, "CONNECTORS_AT_ONCE", pieces)
    connectors = range(1, MANY + 1)
    add(scene, *(connector(number) for number in connectors[2:]))
    add(scene, *(run(number, number, number - 0.5, connector_id=number) for number in connectors))
    change(scene, minutes=0.1, connector_id=None)
    pages, before = [], ""
    for _ in range(4):
        page = ask(scene, *connectors, scope="all", size=100, **({"before": before} if before else {}))
        pages.append([event.title for event in page.events])
        assert page.total == (2 * MANY + 1, True)
        if not (before := page.older):
            break
    assert [len(page) for page in pages] == [100, 100, 61]
