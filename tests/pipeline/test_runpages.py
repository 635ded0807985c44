"""Queries of the Runs pages on both databases: the list, the lines, the records and what is flagged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy import insert

from integration.models import PayloadFile
from integration.models import Run
from integration.models import RunLine
from integration.models import RunState
from integration.pipeline import runpages
from integration.pipeline import runrecords
from integration.pipeline import runs
from integration.pipeline.ports import Ports
from integration.pipeline.runpages import LineQuery
from integration.pipeline.runpages import RunQuery
from integration.pipeline.runrecords import EntityQuery
from tests.conftest import NOON
from tests.pipeline import rows


@pytest.fixture
def run(ports: Ports, connector_id: int) -> Run:
    run_id = runs.start(ports, connector_id, "full", trigger="ada@example.com")
    with ports.db.read() as session:
        return session.get_one(Run, run_id)


@pytest.fixture
def loaded() -> Iterator[list[Any]]:
    """Runs and lines that the database gave."""
    seen: list[Any] = []

    def note(target: Any, context: Any) -> None:
        seen.append(target)

    for model in (Run, RunLine):
        event.listen(model, "load", note)
    yield seen
    for model in (Run, RunLine):
        event.remove(model, "load", note)


def many(ports: Ports, connector_id: int, number: int, **values: Any) -> None:
    """Write ended runs, one a minute."""
    common = {"connector_id": connector_id, "kind": "incremental", "state": "COMPLETED", "trigger": "schedule"}
    made = [
        {**common, "correlation_id": str(n), "created_at": NOON + timedelta(minutes=n), "options": {}, "cursor": {}}
        | values
        for n in range(number)
    ]
    with ports.db.write() as session:
        session.execute(insert(Run), made)


def found(ports: Ports, connector_id: int, **args: str) -> list[Run]:
    query, notices = RunQuery.parse(connector_id, args)
    assert notices == []
    with ports.db.read() as session:
        return list(runpages.read_list(session, query)[0])


def test_a_long_list_is_read_page_by_page(ports: Ports, connector_id: int, loaded: list[Any]) -> None:
    many(ports, connector_id, 130)
    query, seen = RunQuery(connector_id), []
    for expected in (50, 50, 30):
        loaded.clear()
        with ports.db.read() as session:
            page, older = runpages.read_list(session, query)
        assert (len(page), len(loaded) <= runpages.SHOWN + 1) == (expected, True)
        seen += [run.id for run in page]
        query = RunQuery(connector_id, before=older or 0)
    assert (older, seen) == (None, sorted(set(seen), reverse=True))
    assert len(seen) == 130


def test_runs_are_found_by_each_filter(ports: Ports, connector_id: int, run: Run) -> None:
    many(ports, connector_id, 3)
    assert [one.id for one in found(ports, connector_id, kind="full")] == [run.id]
    assert [one.id for one in found(ports, connector_id, state="PENDING")] == [run.id]
    assert [one.id for one in found(ports, connector_id, trigger="ADA@")] == [run.id]
    assert found(ports, connector_id, trigger="a%a") == []
    assert len(found(ports, connector_id, since="2026-11-20T12:01:00+00:00")) == 2
    assert len(found(ports, connector_id, until="2026-11-20T12:01:00+00:00", kind="incremental")) == 1
    assert found(ports, connector_id + 1) == []


def test_the_last_day_is_summed_up(ports: Ports, connector_id: int) -> None:
    many(ports, connector_id, 2, pulled=10, pushed=4, skipped=5, failed=1)
    many(ports, connector_id, 1, state="FAILED", created_at=NOON - timedelta(hours=23), pulled=1)
    many(ports, connector_id, 1, created_at=NOON - timedelta(hours=25), pulled=100)
    many(ports, connector_id, 1, options={"dry_run": True}, pulled=5, pushed=4, skipped=1)
    with ports.db.read() as session:
        summary = runpages.summary(session, connector_id, NOON + timedelta(minutes=2))
    assert summary == runpages.Summary(runs=4, failed_runs=1, pulled=26, pushed=8, skipped=10, failed=2)


@pytest.fixture
def lines(ports: Ports, run: Run) -> list[int]:
    """The ids of 700 lines, each 100th an error."""
    with ports.db.write() as session:
        for number in range(700):
            runs.add_line(session, NOON, run.id, f"Line {number}.", "info" if number % 100 else "error")
    with ports.db.read() as session:
        return [line.id for line in runs.lines(session, run.id, limit=700)]


def test_lines_are_followed_backwards_without_a_gap(
    ports: Ports, run: Run, lines: list[int], loaded: list[Any]
) -> None:
    seen: list[int] = []
    query = LineQuery()
    while True:
        loaded.clear()
        with ports.db.read() as session:
            page = runpages.page_of_lines(session, run.id, query)
        assert len(loaded) <= runpages.LINES + 1
        seen = [line.id for line in page.lines] + seen
        if page.older is None:
            break
        query = LineQuery(before=page.older)
    assert seen == lines


def test_only_lines_behind_the_last_one_are_new(ports: Ports, run: Run, lines: list[int], loaded: list[Any]) -> None:
    with ports.db.read() as session:
        new = runpages.new_lines(session, run.id, lines[-3])
        assert ([line.id for line in new.lines], new.last, len(loaded)) == (lines[-2:], lines[-1], 2)
        nothing = runpages.new_lines(session, run.id, lines[-1])
    assert (list(nothing.lines), nothing.last) == ([], lines[-1])


def test_lines_are_found_by_level_and_text(ports: Ports, run: Run, lines: list[int]) -> None:
    def texts(**args: str) -> list[str]:
        query, notices = LineQuery.parse(args)
        assert notices == []
        with ports.db.read() as session:
            return [line.text for line in runpages.page_of_lines(session, run.id, query).lines]

    assert len(texts(level="error")) == 7
    assert texts(text="LINE 69", level="warning") == []
    assert len(texts(text="LINE 69")) == 11
    assert texts(text="300", level="error") == ["Line 300."]
    assert texts(text="%") == []


def test_bad_values_of_lines_and_records_are_said() -> None:
    query, notices = LineQuery.parse({"level": "odd", "after": "x", "text": "a"})
    assert (query, len(notices)) == (LineQuery(text="a"), 2)
    records, notices = EntityQuery.parse({"status": "odd", "before": "-1"})
    assert (records, len(notices)) == (EntityQuery(), 2)


def test_a_line_names_only_a_file_that_is_still_kept(ports: Ports, run: Run) -> None:
    fields = {"run_id": run.id, "connector_id": run.connector_id, "direction": "pull", "size": 1, "created_at": NOON}
    [kept] = rows.store(ports, PayloadFile(name="1/a.json", **fields))
    for file_id in (kept.id, kept.id + 1):
        rows.store(ports, RunLine(run_id=run.id, at=NOON, level="info", text="x", payload_file_id=file_id))
    with ports.db.read() as session:
        assert runpages.page_of_lines(session, run.id).files == {kept.id}


STATES = {
    "success": ("delivered",),
    "failed": ("dead",),
    "skipped": ("skipped", "discarded"),
    "conflict": ("conflict",),
    "waiting": ("waiting", "ready", "leased"),
}


def deliveries(ports: Ports, run: Run) -> None:
    """One record of the run in each state, each of its own person, and one of another run."""
    made = []
    for number, state in enumerate(state for states in STATES.values() for state in states):
        made.append(rows.delivery(run.connector_id, str(number), state, subject=str(number), run_id=run.id))
    rows.store(ports, *made, rows.delivery(run.connector_id, "99", "dead", at=9, run_id=run.id + 1))


@pytest.mark.parametrize("status", STATES)
def test_records_of_a_run_are_found_by_status(ports: Ports, run: Run, status: str) -> None:
    deliveries(ports, run)
    with ports.db.read() as session:
        entities, older = runrecords.entities(session, run, EntityQuery(status))
    assert sorted(each.delivery.state for each in entities) == sorted(STATES[status])
    assert {each.status for each in entities} == {status}
    assert older is None


def test_records_of_a_run_are_read_page_by_page_and_counted(ports: Ports, run: Run) -> None:
    deliveries(ports, run)
    with ports.db.read() as session:
        first, older = runrecords.entities(session, run, EntityQuery(), 5)
        second, end = runrecords.entities(session, run, EntityQuery(before=older or 0), 5)
        totals = runrecords.totals(session, run)
    assert (len(first), len(second), end) == (5, 3, None)
    assert len({each.delivery.id for each in first + second}) == 8
    assert totals.kinds == {"order": {"success": 1, "failed": 1, "skipped": 2, "conflict": 1, "waiting": 3}}
    assert totals.exact


def test_totals_of_a_huge_run_say_that_they_are_of_the_newest(
    ports: Ports, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runrecords, "COUNTED", 3)
    deliveries(ports, run)
    with ports.db.read() as session:
        totals = runrecords.totals(session, run)
    assert not totals.exact
    assert sum(totals.kinds["order"].values()) == 4


@pytest.mark.parametrize(
    ("values", "waiting", "verdict"),
    [
        ({"pulled": 5, "pushed": 5}, 0, ""),
        ({"pulled": 5}, 5, ""),
        ({"pulled": 0}, 0, ""),
        ({"pulled": 5, "state": RunState.FAILED}, 0, ""),
        ({"pulled": 5, "options": {"dry_run": True}}, 0, ""),
        ({"pulled": 5, "skipped": 5}, 0, "skipped"),
        ({"pulled": 5, "skipped": 2, "failed": 3}, 0, "failed"),
        ({"pulled": 5}, 0, "lost"),
        ({"pulled": 5, "kind": "incremental"}, 0, ""),
        ({"pulled": 5, "accepted": 2, "skipped": 2, "kind": "incremental"}, 0, "skipped"),
    ],
)
def test_a_run_that_pulled_and_pushed_nothing_is_flagged(values: dict[str, Any], waiting: int, verdict: str) -> None:
    none = {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0, "accepted": 0, "options": {}}
    run = Run(**{"kind": "full", "state": RunState.COMPLETED} | none | values)
    assert runpages.nothing_sent(run, waiting) == verdict
