"""A reading list: every order once, whole people in a call, kept in parts."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, strategies as st
from sqlalchemy.orm import Session

from integration.models.reading_list import ReadingList
from integration.models.run import Run, RunKind
from integration.pipeline.leases.endings import Lost
from integration.pipeline.runs import lifecycle, reading_list
from integration.pipeline.services import Services

SIZE = 7
#: How many orders each person has.
PEOPLE = st.lists(st.integers(1, 3 * SIZE), max_size=30)


def orders_of(counts: list[int]) -> list[tuple[str, int]]:
    """Return person key and id, the people one after the other, the ids of each in no order."""
    ids = iter(range(1, sum(counts) + 1))
    whose = [(f"person{place}", next(ids)) for place, count in enumerate(counts) for _ in range(count)]
    return [pair for _, theirs in groupby(whose, key=lambda pair: pair[0]) for pair in reversed(list(theirs))]


@given(PEOPLE)
def test_every_order_stands_in_one_call_that_is_not_too_large(counts: list[int]) -> None:
    calls = list(reading_list.packed(orders_of(counts), SIZE))
    assert sorted(number for call in calls for number in call) == list(range(1, sum(counts) + 1))
    assert all(0 < len(call) <= SIZE for call in calls)


@given(PEOPLE)
def test_nobody_is_divided_who_fits_into_a_call(counts: list[int]) -> None:
    orders = dict((number, person) for person, number in orders_of(counts))
    calls = list(reading_list.packed(orders_of(counts), SIZE))
    for place, count in enumerate(counts):
        brings = [n for n, call in enumerate(calls) if any(orders[each] == f"person{place}" for each in call)]
        assert brings == list(range(brings[0], brings[0] + len(brings)))
        if count <= SIZE:
            assert len(brings) == 1


@given(PEOPLE)
def test_calls_are_filled_as_far_as_people_fit(counts: list[int]) -> None:
    calls = list(reading_list.packed(orders_of(counts), SIZE))
    few = all(count <= SIZE for count in counts)
    # The next person did not fit where a call ends.
    assert not few or all(len(one) + len(other) > SIZE for one, other in zip(calls, calls[1:], strict=False))


@pytest.fixture
def run(services: Services, connector_id: int) -> Run:
    run_id = lifecycle.start(services, connector_id, RunKind.INITIAL, trigger="test")
    with services.db.read() as session:
        return session.get_one(Run, run_id)


def kept(services: Services, run: Run, calls: list[list[int]]) -> Run:
    keeper = reading_list.Keeper(services.db, lambda session: session.get_one(Run, run.id))
    keeper.keep(iter(calls))
    with services.db.write() as session:
        row = session.get_one(Run, run.id)
        keeper.whole(row)
    return row


def test_a_list_that_was_not_finished_does_not_count(
    services: Services, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_list, "CALLS_A_ROW", 1)
    held: list[Run] = []

    def lost(session: Session) -> Run:
        held.append(session.get_one(Run, run.id))
        if len(held) == 3:
            raise Lost
        return held[-1]

    with pytest.raises(Lost):
        reading_list.Keeper(services.db, lost).keep(iter([[1], [2]]))
    assert reading_list.kept(services.db, run) is None
    parts = reading_list.kept(services.db, kept(services, run, [[3], [4]]))
    assert parts is not None
    assert [list(parts.of(place)) for place in (0, 1)] == [[3], [4]]


def test_a_list_is_read_call_by_call_from_its_rows(
    services: Services, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_list, "CALLS_A_ROW", 2)
    calls = [[1, 9], [4], [5, 6], [7], [8]]
    kept(services, run, [[1]])
    parts = reading_list.kept(services.db, kept(services, run, calls))
    assert parts is not None
    assert (parts.calls, parts.ids) == (5, 7)
    assert [list(parts.of(place)) for place in (0, 1, 2, 3, 4, 1)] == [*calls, [4]]
    with services.db.read() as session:
        assert session.query(ReadingList).count() == 3


def test_a_run_without_its_whole_list_reads_by_ids(
    services: Services, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_list, "CALLS_A_ROW", 1)
    assert reading_list.kept(services.db, run) is None
    run = kept(services, run, [[1], [2]])
    with services.db.write() as session:
        session.delete(session.get_one(ReadingList, (run.id, 1)))
    assert reading_list.kept(services.db, run) is None


def test_a_list_goes_with_its_run(services: Services, run: Run) -> None:
    kept(services, run, [[1]])
    with services.db.write() as session:
        session.delete(session.get_one(Run, run.id))
    with services.db.read() as session:
        assert session.query(ReadingList).count() == 0
