"""A held Mautic is tried with a small claim, by one lane; poisonous records end by themselves meanwhile."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import pytest

from integration.clock import SetClock
from integration.engines.worker import Worker
from integration.models import Connector
from integration.operations.monitoring import health
from integration.pipeline.delivery.deliver import PROBE_PEOPLE
from integration.pipeline.delivery.retries import DELAYS
from integration.pipeline.runs import executor
from tests.conftest import NOON
from tests.road.conftest import Road

WRITES = "/api/contacts/batch"
PROBLEM = b'{"errors":[{"code":500,"message":"Looks like I encountered an error (error #500).","type":null}]}'


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(SetClock(NOON))


def advance(road: Road, **parts: float) -> None:
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(**parts)


def buy(road: Road, count: int, name: str = "p") -> None:
    road.arrive(*(road.order(f"{name}{number}@example.com") for number in range(count)))


def tried(road: Road) -> int:
    return sum(delivery.attempts for delivery in road.deliveries())


def verdict(road: Road) -> str:
    with road.services.db.read() as session:
        return health.of(session, road.services.clock.now(), session.get_one(Connector, road.connector_id)).code


def poison(road: Road, *names: str) -> None:
    """Let the stand-in fail for every request that has one of these in its body."""
    inner = road.mautic.app.wsgi_app

    def guarded(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        if any(name.encode() in body for name in names):
            start_response("500 Internal Server Error", [("Content-Type", "application/json")])
            return [PROBLEM]
        return inner(environ, start_response)

    road.mautic.app.wsgi_app = guarded  # type: ignore[method-assign]


@pytest.mark.parametrize("fault", ["html"])
def test_a_probe_that_reads_but_cannot_write_claims_few_and_keeps_the_hold(road: Road, fault: str) -> None:
    buy(road, 40)
    road.mautic.faults.command({"kind": fault, "path": WRITES})
    road.work()
    for seconds in (6, 11, 31, 61):
        before = tried(road)
        advance(road, seconds=seconds)
        road.work()
        assert 0 < tried(road) - before <= PROBE_PEOPLE
        assert len(road.holds()) == 1
        assert verdict(road) == "held"
        advance(road, seconds=4)
        road.work()
        assert tried(road) - before <= PROBE_PEOPLE
    road.mautic.faults.clear()
    advance(road, seconds=121)
    road.work()
    assert road.holds() == []
    advance(road, seconds=6)
    road.work()
    assert road.states() == {"delivered"}
    assert {delivery.faults for delivery in road.deliveries()} == {0}


@pytest.mark.parametrize("fault", ["down", "lose_answer"])
def test_people_whose_answers_were_lost_are_looked_up_before_writes_are_tried_again(road: Road, fault: str) -> None:
    buy(road, 40)
    road.mautic.faults.command({"kind": fault, "path": WRITES})
    road.work()
    assert len(road.holds()) == 1
    for seconds in (6, 11, 31, 61):
        advance(road, seconds=seconds)
        road.work()
    assert road.mautic.calls.count(WRITES) <= 10
    road.mautic.faults.clear()
    for _ in range(8):
        advance(road, seconds=61)
        road.work()
    assert (road.holds(), road.states()) == ([], {"delivered"})
    addresses = [str(contact.values["email"]) for contact in road.mautic.state.contacts.values()]
    assert len(addresses) == len(set(addresses)) == 40


@pytest.mark.parametrize("people", [1, 2, 12])
def test_an_hour_in_which_writes_fail_makes_no_dead_letter(road: Road, people: int) -> None:
    buy(road, people)
    road.mautic.faults.status(500, path=WRITES)
    for _ in range(60):
        road.work()
        advance(road, minutes=1)
    assert "dead" not in road.states()
    assert road.mautic.calls.count(WRITES) < 150
    road.mautic.faults.clear()
    for delay in DELAYS:
        advance(road, seconds=delay * 1.3)
        road.work()
    assert (road.states(), road.holds()) == ({"delivered"}, [])


@pytest.mark.parametrize("count", [1, 2, 4])
def test_poisonous_records_end_as_dead_letters_and_good_ones_arrive(road: Road, count: int) -> None:
    poison(road, "poison")
    buy(road, count, "poison")
    buy(road, 6, "good")
    for step in range(400):
        road.work()
        if step == 200:
            buy(road, 1, "late")
        advance(road, seconds=150)
    ends = {f"{delivery.state}": delivery for delivery in road.deliveries()}
    assert [delivery.state for delivery in road.deliveries()].count("dead") == count
    assert [delivery.state for delivery in road.deliveries()].count("delivered") == 7
    assert ends["dead"].attempts >= ends["dead"].faults
    assert ends["dead"].attempts > len(DELAYS)
    assert road.holds() == []


def test_a_call_that_is_out_for_long_holds_until_it_is_answered(road: Road) -> None:
    buy(road, 3)
    # Long enough for what stands below on a machine that has much to do.
    slow = road.mautic.faults.delay(4.0, path=WRITES, times=1)
    worker = Worker(road.services)
    worker.dispatch()
    seen = threading.Event()
    deadline = time.monotonic() + 20
    while not slow.used and time.monotonic() < deadline:
        seen.wait(0.005)
    assert verdict(road) == "on_time"
    advance(road, seconds=31)
    worker.dispatch()
    assert (road.holds(), verdict(road)) == (["slow"], "held")
    deadline = time.monotonic() + 20
    while road.states() != {"delivered"} and time.monotonic() < deadline:
        seen.wait(0.02)
    worker.stop()
    assert (road.states(), road.holds(), verdict(road)) == ({"delivered"}, [], "on_time")


ORDERS = "/wp-json/wc/v3/orders"


@pytest.mark.parametrize("scope", [ORDERS, ""], ids=["orders", "everything"])
@pytest.mark.parametrize(
    "fault",
    [{"kind": "down"}, {"kind": "cut"}, {"kind": "status", "value": 500}, {"kind": "status", "value": 503}],
    ids=["down", "cut", "500", "503"],
)
def test_a_store_that_fails_is_held_after_few_calls(
    road: Road, monkeypatch: pytest.MonkeyPatch, fault: dict[str, object], scope: str
) -> None:
    for number in range(12):
        road.order(f"p{number}@example.com")
    monkeypatch.setattr(executor, "TRIES_MAX", 3)  # The tries of the first minute: at once, after 10 and after 30 s.
    monkeypatch.setattr(executor.RunExecutor, "_wait", lambda self, ready, seconds: None)
    road.store.faults.command({**fault, "path": scope})
    run = road.run("initial", only=["orders"])
    reads = [call.status for call in road.store.calls if call.path.startswith("/wp-json")]
    assert run.state == "FAILED"
    assert len(reads) <= 20
    assert len(road.holds()) == 1


def test_orders_that_the_store_cannot_give_are_left_out_though_they_stand_side_by_side(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        road.order(f"p{number}@example.com")
    inner = road.store.app.wsgi_app

    def guarded(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI
        body = list(inner(environ, lambda *answer: head.append(answer)))
        status, headers, *_ = head.pop()
        if environ["PATH_INFO"] == ORDERS and any(f"p{n}@".encode() in b"".join(body) for n in (11, 12, 13)):
            status, headers, body = "500 Internal Server Error", [("Content-Type", "text/html")], [b"<p>No.</p>"]
        start_response(status, headers)
        return body

    head: list[tuple[str, list[tuple[str, str]]]] = []
    road.store.app.wsgi_app = guarded  # type: ignore[method-assign]
    monkeypatch.setattr(executor.RunExecutor, "_wait", lambda self, ready, seconds: self.services.wakeup.ring(0))
    run = road.run("initial", only=["orders"])
    assert run.state == "COMPLETED"
    assert len([d for d in road.deliveries() if d.state == "delivered"]) == 27
