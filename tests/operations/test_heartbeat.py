from __future__ import annotations

from integration.operations.monitoring import heartbeat
from tests.operations.conftest import NOW, Scene


def alive(scene: Scene, role: str) -> bool:
    with scene.db.read() as session:
        return heartbeat.alive(session, scene.clock.now(), role)


def test_a_role_that_never_beat_is_not_alive(scene: Scene) -> None:
    assert not alive(scene, "worker")


def test_a_beat_lasts_sixty_seconds(scene: Scene) -> None:
    heartbeat.beat(scene, "host-1", "worker")
    scene.clock.advance(seconds=60)
    assert alive(scene, "worker")
    assert not alive(scene, "scheduler")
    scene.clock.advance(seconds=1)
    assert not alive(scene, "worker")


def test_a_second_beat_renews_the_first_and_one_of_two_is_enough(scene: Scene) -> None:
    heartbeat.beat(scene, "host-1", "worker")
    heartbeat.beat(scene, "host-2", "worker")
    scene.clock.advance(seconds=50)
    heartbeat.beat(scene, "host-2", "worker")
    scene.clock.advance(seconds=50)
    assert alive(scene, "worker")
    with scene.db.read() as session:
        assert (scene.clock.now() - heartbeat.last_beat(session, "worker")).seconds == 50
        assert heartbeat.last_beat(session, "scheduler") is None
    assert scene.clock.now() > NOW
