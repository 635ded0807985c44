"""The breaker: what counts, when it opens and closes, what is slow, and the cap of calls behind it."""

from __future__ import annotations

import pytest

from integration.clock import SetClock
from integration.errors import AuthRejected, Held, NotSetUp, Rejected, ServerFault, ServiceError, Throttled, Unreachable
from integration.http.breaker import SLOW, Breaker, Obedient, RateCap, judged

FAULT = ServerFault("mautic", "server_fault", "Mautic failed.", "Look at it.", status=500)
FAILURES: list[ServiceError] = [
    FAULT,
    Unreachable("mautic", "cut", "Cut.", sent=True),
    Throttled("mautic", "throttled", "Wait.", status=429),
    AuthRejected("mautic", "wrong_credentials", "No."),
    NotSetUp("mautic", "redirected", "Moved.", status=302),
]


class Keeper:
    """A breaker and what it has told."""

    def __init__(self, clock: SetClock) -> None:
        self.told: list[str] = []
        self.recovered = 0
        self.breaker = Breaker("mautic", clock, self._opened, self._recovered)

    def _opened(self, error: ServiceError) -> None:
        self.told.append(error.code)

    def _recovered(self) -> None:
        self.recovered += 1

    def answer(self, error: ServiceError | None, *, write: bool = True) -> None:
        try:
            with judged(self.breaker, write=write):
                if error is not None:
                    raise error
        except ServiceError as raised:
            assert raised is error


@pytest.fixture
def keeper(clock: SetClock) -> Keeper:
    return Keeper(clock)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda error: error.code)
def test_three_failures_in_a_row_of_any_kind_open_it_once(keeper: Keeper, failure: ServiceError) -> None:
    for _ in range(2):
        keeper.answer(failure)
    assert (keeper.told, keeper.breaker.error) == ([], None)
    for _ in range(3):
        keeper.answer(failure)
    assert (keeper.told, keeper.breaker.error) == ([failure.code], failure)


@pytest.mark.parametrize("living", [None, Rejected("mautic", "not_found", "No.", status=404)], ids=["good", "refused"])
def test_an_answer_of_the_service_itself_begins_the_count_anew(keeper: Keeper, living: ServiceError | None) -> None:
    for failure in (FAULT, FAULT, living, FAULT, FAULT):
        keeper.answer(failure)
    assert keeper.told == []


def test_a_refusal_by_the_web_server_in_front_shows_nothing(keeper: Keeper) -> None:
    for failure in (FAULT, FAULT, Rejected("mautic", "too_large", "Too large.", status=413), FAULT):
        keeper.answer(failure)
    assert keeper.told == [FAULT.code]


def test_an_open_one_refuses_the_calls_of_work_that_goes_on_by_itself(keeper: Keeper) -> None:
    for _ in range(3):
        keeper.answer(FAULT)
    with (
        pytest.raises(Held, match=r"Mautic failed\. Look at it\.") as caught,
        Obedient(keeper.breaker).call(write=True),
    ):
        raise AssertionError("the call was made")
    assert (caught.value.code, caught.value.service) == (FAULT.code, "mautic")
    with keeper.breaker.call(write=False):
        assert keeper.breaker.calls_out == 1
    keeper.breaker.close(ServerFault("mautic", "other", "Another."))
    assert keeper.breaker.error is FAULT
    keeper.breaker.close(FAULT)
    with Obedient(keeper.breaker).call(write=True):
        assert keeper.breaker.calls_out == 1
    assert keeper.breaker.calls_out == 0


def test_a_call_that_was_not_made_is_no_failure(keeper: Keeper) -> None:
    for _ in range(9):
        keeper.answer(Held("mautic", "server_fault", "Held."))
    assert keeper.told == []


def test_a_call_that_is_out_for_long_is_told_once_and_the_next_write_recovers(keeper: Keeper, clock: SetClock) -> None:
    with keeper.breaker.call(write=True):
        keeper.breaker.look(clock.advance(seconds=30))
        assert keeper.told == []
        keeper.breaker.look(clock.advance(seconds=1))
        keeper.breaker.look(clock.advance(seconds=1))
        assert keeper.told == [SLOW]
        keeper.answer(None, write=False)
        assert keeper.recovered == 0
    keeper.answer(None, write=True)
    keeper.answer(None, write=True)
    assert keeper.recovered == 1


def test_the_cap_lets_a_burst_pass_and_then_only_so_many_a_second() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    cap = RateCap(10, 5, lambda: now[0], sleep)
    for _ in range(105):
        cap.wait()
    assert now[0] == pytest.approx(10)
    assert len(slept) == 100
    now[0] += 60
    before = now[0]
    for _ in range(5):
        cap.wait()
    assert now[0] == before


def test_a_cap_that_was_emptied_has_no_burst_left() -> None:
    now, slept = [0.0], list[float]()
    cap = RateCap(10, 5, lambda: now[0], slept.append)
    cap.empty()
    cap.wait()
    assert slept == [pytest.approx(0.1)]
    now[0] += 0.6
    for _ in range(4):
        cap.wait()
    assert slept == [pytest.approx(0.1)]
