"""Queries of the Runs pages on both databases: the list, the lines, the records and what is flagged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert

from integration.models import PayloadFile, Run, RunLine, RunState
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.pipeline.services import Services
from integration.queries import run_records, runs as querie_runs
from integration.queries.run_records import EntityQuery
from integration.queries.runs import RunLineQuery, RunQuery
from tests.conftest import NOON
from tests.pipeline import rows


@pytest.fixture
def run(services: Services, connector_id: int) -> Run:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="ada@example.com")
    with services.db.read() as session:
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


def many(services: Services, connector_id: int, number: int, **values: Any) -> None:
    """Write ended runs, one a minute."""
    common = {"connector_id": connector_id, "kind": "incremental", "state": "COMPLETED", "trigger": "schedule"}
    made = [
        {**common, "correlation_id": str(n), "created_at": NOON + timedelta(minutes=n), "options": {}, "cursor": {}}
        | values
        for n in range(number)
    ]
    with services.db.write() as session:
        session.execute(insert(Run), made)


def found(services: Services, connector_id: int, **args: str) -> list[Run]:
    query, notices = RunQuery.parse(connector_id, args)
    assert notices == []
    with services.db.read() as session:
        return list(querie_runs.read_list(session, query)[0])


def test_a_long_list_is_read_page_by_page(services: Services, connector_id: int, loaded: list[Any]) -> None:
    many(services, connector_id, 130)
    query, seen = RunQuery(connector_id=connector_id), []
    for expected in (50, 50, 30):
        loaded.clear()
        with services.db.read() as session:
            page, older = querie_runs.read_list(session, query)
        assert (len(page), len(loaded) <= querie_runs.RUNS_MAX_ROWS + 1) == (expected, True)
        seen += [run.id for run in page]
        query = RunQuery(connector_id=connector_id, before=older or 0)
    assert (older, seen) == (None, sorted(set(seen), reverse=True))
    assert len(seen) == 130


def test_runs_are_found_by_each_filter(services: Services, connector_id: int, run: Run) -> None:
    many(services, connector_id, 3)
    assert [one.id for one in found(services, connector_id, kind="full")] == [run.id]
    assert [one.id for one in found(services, connector_id, state="PENDING")] == [run.id]
    assert [one.id for one in found(services, connector_id, trigger="ADA@")] == [run.id]
    assert found(services, connector_id, trigger="a%a") == []
    assert len(found(services, connector_id, since="2026-11-20T12:01:00+00:00")) == 2
    assert len(found(services, connector_id, until="2026-11-20T12:01:00+00:00", kind="incremental")) == 1
    assert found(services, connector_id + 1) == []


def test_the_last_day_is_summed_up(services: Services, connector_id: int) -> None:
    many(services, connector_id, 2, pulled=10, pushed=4, skipped=5, failed=1)
    many(services, connector_id, 1, state="FAILED", created_at=NOON - timedelta(hours=23), pulled=1)
    many(services, connector_id, 1, created_at=NOON - timedelta(hours=25), pulled=100)
    many(services, connector_id, 1, options={"dry_run": True}, pulled=5, pushed=4, skipped=1)
    with services.db.read() as session:
        summary = querie_runs.summary(session, connector_id, NOON + timedelta(minutes=2))
    assert summary == querie_runs.Summary(runs=3, failed_runs=1, pulled=21, pushed=8, skipped=10, failed=2)


@pytest.fixture
def lines(services: Services, run: Run) -> list[int]:
    """The ids of 700 lines, each 100th an error."""
    with services.db.write() as session:
        for number in range(700):
            run_lifecycle.add_line(session, NOON, run.id, f"Line {number}.", "info" if number % 100 else "error")
    with services.db.read() as session:
        return [line.id for line in run_progress.lines(session, run.id, limit=700)]


def test_lines_are_followed_backwards_without_a_gap(
    services: Services, run: Run, lines: list[int], loaded: list[Any]
) -> None:
    seen: list[int] = []
    query = RunLineQuery()
    while True:
        loaded.clear()
        with services.db.read() as session:
            page = querie_runs.page_of_lines(session, run.id, query)
        assert len(loaded) <= querie_runs.RUN_LINES_MAX_ROWS + 1
        seen = [line.id for line in page.lines] + seen
        if page.older is None:
            break
        query = RunLineQuery(before=page.older)
    assert seen == lines


def test_only_lines_behind_the_last_one_are_new(
    services: Services, run: Run, lines: list[int], loaded: list[Any]
) -> None:
    with services.db.read() as session:
        new = querie_runs.new_lines(session, run.id, lines[-3])
        assert ([line.id for line in new.lines], new.last, len(loaded)) == (lines[-2:], lines[-1], 2)
        nothing = querie_runs.new_lines(session, run.id, lines[-1])
    assert (list(nothing.lines), nothing.last) == ([], lines[-1])


def test_lines_are_found_by_level_and_text(services: Services, run: Run, lines: list[int]) -> None:
    def texts(**args: str) -> list[str]:
        query, notices = RunLineQuery.parse(args)
        assert notices == []
        with services.db.read() as session:
            return [line.text for line in querie_runs.page_of_lines(session, run.id, query).lines]

    assert len(texts(level="error")) == 7
    assert texts(text="LINE 69", level="warning") == []
    assert len(texts(text="LINE 69")) == 11
    assert texts(text="300", level="error") == ["Line 300."]
    assert texts(text="%") == []


def test_bad_values_of_lines_and_records_are_said() -> None:
    query, notices = RunLineQuery.parse({"level": "odd", "after": "x", "text": "a"})
    assert (query, len(notices)) == (RunLineQuery(text="a"), 2)
    records, notices = EntityQuery.parse({"status": "odd", "before": "-1"})
    assert (records, len(notices)) == (EntityQuery(), 2)


def test_a_line_names_only_a_file_that_is_still_kept(services: Services, run: Run) -> None:
    fields = {"run_id": run.id, "connector_id": run.connector_id, "direction": "pull", "size": 1, "created_at": NOON}
    [kept] = rows.store(services, PayloadFile(name="1/a.json", **fields))
    for file_id in (kept.id, kept.id + 1):
        rows.store(services, RunLine(run_id=run.id, at=NOON, level="info", text="x", payload_file_id=file_id))
    with services.db.read() as session:
        assert querie_runs.page_of_lines(session, run.id).files == {kept.id}


STATES = {
    "success": ("delivered",),
    "failed": ("dead",),
    "skipped": ("skipped", "discarded"),
    "conflict": ("conflict",),
    "waiting": ("waiting", "ready", "leased"),
}


def deliveries(services: Services, run: Run) -> None:
    """One record of the run in each state, each of its own person, and one of another run."""
    made = []
    for number, state in enumerate(state for states in STATES.values() for state in states):
        made.append(rows.delivery(run.connector_id, str(number), state, person_key=str(number), run_id=run.id))
    rows.store(services, *made, rows.delivery(run.connector_id, "99", "dead", at=9, run_id=run.id + 1))


@pytest.mark.parametrize("status", STATES)
def test_records_of_a_run_are_found_by_status(services: Services, run: Run, status: str) -> None:
    deliveries(services, run)
    with services.db.read() as session:
        entities, older = run_records.entities(session, run, EntityQuery(status=status))
    assert sorted(each.delivery.state for each in entities) == sorted(STATES[status])
    assert {each.status for each in entities} == {status}
    assert older is None


def test_records_of_a_run_are_read_page_by_page_and_counted(services: Services, run: Run) -> None:
    deliveries(services, run)
    with services.db.read() as session:
        first, older = run_records.entities(session, run, EntityQuery(), 5)
        second, end = run_records.entities(session, run, EntityQuery(before=older or 0), 5)
        totals = run_records.totals(session, run)
    assert (len(first), len(second), end) == (5, 3, None)
    assert len({each.delivery.id for each in first + second}) == 8
    assert totals.kinds == {"order": {"success": 1, "failed": 1, "skipped": 2, "conflict": 1, "waiting": 3}}
    assert totals.exact


def test_totals_of_a_huge_run_say_that_they_are_of_the_newest(
    services: Services, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_records, "COUNTED_ROWS_MAX", 3)
    deliveries(services, run)
    with services.db.read() as session:
        totals = run_records.totals(session, run)
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
        ({"pulled": 5, "skipped": 2, "failed": 3}, 0, "others_skipped"),
        ({"pulled": 5, "failed": 5}, 0, "failed"),
        ({"pulled": 5}, 0, "lost"),
        ({"pulled": 5, "kind": "incremental"}, 0, ""),
        ({"pulled": 5, "accepted": 2, "skipped": 2, "kind": "incremental"}, 0, "skipped"),
    ],
)
def test_a_run_that_pulled_and_pushed_nothing_is_flagged(values: dict[str, Any], waiting: int, verdict: str) -> None:
    none = {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0, "accepted": 0, "options": {}}
    run = Run(**{"kind": "full", "state": RunState.COMPLETED} | none | values)
    assert querie_runs.nothing_sent(run, waiting) == verdict
