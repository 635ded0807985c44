"""The pages of the activity feed: one after another without a loss, their filters, and what is asked for them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from integration.models import Hold
from integration.models.alert import Alert
from integration.operations.monitoring.activity import ActivityQuery, feed, minutes
from integration.operations.monitoring.activity.event import FeedPosition
from tests.operations.activity_feed import add, ago, ask, change, deliver, delivery, run, told
from tests.operations.conftest import NOW, Scene, connector

#: More than one question is asked about.
MANY = 130


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
