from __future__ import annotations

from integration.operations import heartbeat
from tests.operations.conftest import NOW
from tests.operations.conftest import Desk


def alive(desk: Desk, role: str) -> bool:
    with desk.db.read() as session:
        return heartbeat.alive(session, desk.clock.now(), role)


def test_a_role_that_never_beat_is_not_alive(desk: Desk) -> None:
    assert not alive(desk, "worker")


def test_a_beat_lasts_sixty_seconds(desk: Desk) -> None:
    heartbeat.beat(desk, "host-1", "worker")
    desk.clock.advance(seconds=60)
    assert alive(desk, "worker")
    assert not alive(desk, "scheduler")
    desk.clock.advance(seconds=1)
    assert not alive(desk, "worker")


def test_a_second_beat_renews_the_first_and_one_of_two_is_enough(desk: Desk) -> None:
    heartbeat.beat(desk, "host-1", "worker")
    heartbeat.beat(desk, "host-2", "worker")
    desk.clock.advance(seconds=50)
    heartbeat.beat(desk, "host-2", "worker")
    desk.clock.advance(seconds=50)
    assert alive(desk, "worker")
    with desk.db.read() as session:
        assert (desk.clock.now() - heartbeat.last_beat(session, "worker")).seconds == 50
        assert heartbeat.last_beat(session, "scheduler") is None
    assert desk.clock.now() > NOW
