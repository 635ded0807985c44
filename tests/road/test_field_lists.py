"""The list of Mautic's fields: the first delivery gets it, then the clock keeps it recent and no live order waits."""

from __future__ import annotations

from collections.abc import Callable

from integration.clock import SetClock
from integration.engines import field_lists, schedule
from integration.errors import ServerFault
from integration.models import Connector
from integration.pipeline.connectors import connectors, field_list, holds
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]


def lists_read(road: Road) -> int:
    return sum(call.method == "GET" and call.path.startswith("/api/fields/contact") for call in road.mautic.calls)


def delivered(road: Road, email: str) -> None:
    road.arrive(road.order(email))
    road.work()
    assert road.states() == {"delivered"}


def test_the_first_delivery_gets_the_list_and_later_ones_take_it(make_road: MakeRoad) -> None:
    road = make_road(clock := SetClock(NOON))
    delivered(road, "first@example.com")
    first = lists_read(road)
    assert first > 0
    clock.advance(hours=2)
    delivered(road, "second@example.com")
    assert lists_read(road) == first


def test_the_clock_reads_an_old_list_once(make_road: MakeRoad) -> None:
    road = make_road(clock := SetClock(NOON), orders__create_fields=True)
    delivered(road, "ada@example.com")
    assert field_lists.tick(road.services) == 0
    clock.advance(hours=1)
    assert field_lists.tick(road.services) == 1
    assert field_lists.tick(road.services) == 0
    with road.services.db.read() as session:
        assert session.get_one(Connector, road.connector_id).fields_at == clock.now()


def test_a_lane_that_has_waited_takes_the_list_that_another_one_has_read(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON))
    with road.services.db.read() as session:
        before = session.get_one(Connector, road.connector_id)
    client, modules = road.services.open_mautic(before), road.services.modules(before)
    assert before.fields_at is None
    for _ in range(2):
        assert field_list.ensure_fields(road.services, before, client, [], modules).fields
    assert lists_read(road) == 1


def test_one_process_reads_the_list(make_road: MakeRoad) -> None:
    road = make_road(clock := SetClock(NOON), orders__create_fields=True)
    delivered(road, "ada@example.com")
    clock.advance(hours=1)
    whose = (road.services, road.connector_id, field_lists.JOB, field_lists.EVERY, clock.now())
    taken = [schedule.take_turn(*whose) for _ in range(3)]
    assert taken == [True, False, False]
    clock.advance(seconds=field_lists.EVERY_S)
    assert field_lists.tick(road.services) == 1


def test_a_missing_field_is_looked_for_each_minute(make_road: MakeRoad) -> None:
    road = make_road(clock := SetClock(NOON))
    delivered(road, "ada@example.com")
    clock.advance(minutes=1)
    assert field_lists.tick(road.services) == 1


def test_nothing_is_read_while_mautic_is_held_or_the_connector_paused(make_road: MakeRoad) -> None:
    road = make_road(clock := SetClock(NOON))
    delivered(road, "ada@example.com")
    clock.advance(hours=1)
    with road.services.db.write() as session:
        holds.hold(session, clock.now(), road.connector_id, ServerFault("mautic", "server_error", "It fails.", "Wait."))
    assert field_lists.tick(road.services) == 0
    with road.services.db.write() as session:
        holds.release(session, clock.now(), road.connector_id, "mautic")
    connectors.pause(road.services, road.connector_id)
    assert field_lists.tick(road.services) == 0
    connectors.resume(road.services, road.connector_id)
    assert field_lists.tick(road.services) == 1


def test_a_new_address_makes_the_next_delivery_read_the_list(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON))
    delivered(road, "ada@example.com")
    first = lists_read(road)
    connectors.connect(road.services, road.connector_id, mautic_url=road.mautic.url.replace("127.0.0.1", "localhost"))
    delivered(road, "bob@example.com")
    assert lists_read(road) > first
