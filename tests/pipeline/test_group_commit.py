"""Group commit: who waits is taken along by the oldest, and each is told of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError

from integration.models.database import locked, waiting
from integration.pipeline import group_commit
from integration.pipeline.group_commit import GROUP_MAX, GroupCommit
from tests.pipeline.commit_lines import waiting_behind
from tests.waiting import wait_for

KEY, OTHER = 1, 2


class Crowd:
    """Items that are written by a thread each; the first one holds all others of its key until it is let go."""

    def __init__(self) -> None:
        self.groups: GroupCommit[str] = GroupCommit()
        self.calls: list[Sequence[str]] = []
        self.gate = threading.Event()
        self._pool = ThreadPoolExecutor(2 * GROUP_MAX)

    def commit(self, items: Sequence[str]) -> None:
        self.calls.append(items)
        if items[0] == "first":
            assert self.gate.wait(30)
        if "away" in items:
            raise locked()
        if "bad" in items:
            raise ValueError(items)

    def send(self, item: str, key: int = KEY) -> Future[None]:
        return self._pool.submit(self.groups.write, key, item, self.commit)

    def behind_the_first(self, *items: str) -> list[Future[None]]:
        """Send the first, then the others in this order, and let go when all of them wait."""
        answers = [self.send("first")]
        wait_for(lambda: self.calls)
        for number, item in enumerate(items, 1):
            answers.append(self.send(item))
            wait_for(lambda number=number: waiting_behind(self.groups, KEY) == number)
        self.gate.set()
        return answers

    def end(self) -> None:
        self.gate.set()
        self._pool.shutdown()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    found = Crowd()
    yield found
    found.end()


def test_who_waits_goes_together_in_the_order_of_coming(crowd: Crowd) -> None:
    for answer in crowd.behind_the_first("a", "b", "c", "d"):
        answer.result(30)
    assert crowd.calls == [["first"], ["a", "b", "c", "d"]]


def test_a_crowd_goes_in_groups_of_bounded_size(crowd: Crowd) -> None:
    names = [str(number) for number in range(GROUP_MAX + 3)]
    for answer in crowd.behind_the_first(*names):
        answer.result(30)
    assert crowd.calls == [["first"], names[:GROUP_MAX], names[GROUP_MAX:]]


def test_one_that_fails_spoils_no_other(crowd: Crowd) -> None:
    _, *answers = crowd.behind_the_first("a", "b", "bad", "c", "d")
    errors = [answer.exception(30) for answer in answers]
    assert [type(error) for error in errors] == [type(None), type(None), ValueError, type(None), type(None)]
    written = [item for items in crowd.calls if "bad" not in items for item in items]
    assert written == ["first", "a", "b", "c", "d"]


def test_a_database_that_is_away_is_asked_once_for_all(crowd: Crowd) -> None:
    _, *answers = crowd.behind_the_first("a", "away", "b")
    assert [type(answer.exception(30)) for answer in answers] == [OperationalError] * 3
    assert crowd.calls == [["first"], ["a", "away", "b"]]
    crowd.send("after").result(30)


def test_who_has_waited_long_enough_is_told_and_never_written(crowd: Crowd) -> None:
    first = crowd.send("first")
    wait_for(lambda: crowd.calls)
    with waiting(0.1), pytest.raises(OperationalError):
        crowd.groups.write(KEY, "late", crowd.commit)
    crowd.gate.set()
    first.result(30)
    crowd.send("after").result(30)
    assert crowd.calls == [["first"], ["after"]]


def test_who_was_there_a_moment_ago_is_waited_for(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in crowd.behind_the_first("a", "b"):
        answer.result(30)
    monkeypatch.setattr(group_commit, "GATHER_S", 30)
    again = [crowd.send("a again")]
    wait_for(lambda: waiting_behind(crowd.groups, KEY) == 1)
    again.append(crowd.send("b again"))
    for answer in again:
        answer.result(20)
    assert crowd.calls == [["first"], ["a", "b"], ["a again", "b again"]]


def test_who_does_not_come_back_is_not_waited_for_again(crowd: Crowd) -> None:
    for answer in crowd.behind_the_first("a", "b"):
        answer.result(30)
    crowd.send("alone").result(30)
    assert crowd.groups._lines[KEY]._crowd == 1
    assert crowd.calls[2:] == [["alone"]]


def test_keys_do_not_wait_for_each_other(crowd: Crowd) -> None:
    crowd.send("first")
    wait_for(lambda: crowd.calls)
    crowd.send("other", OTHER).result(30)
    assert crowd.calls == [["first"], ["other"]]
