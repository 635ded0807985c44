"""The token of a connector: opened once in a process, renewed once over all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from integration.clock import SetClock
from integration.mautic.access import Token
from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.pipeline.stored_tokens import StoredTokens
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]


def signed_in(road: Road) -> int:
    return sum(call.path.endswith("/oauth/v2/token") for call in road.mautic.calls)


def connector_of(services: Services, connector_id: int) -> Connector:
    with services.db.read() as session:
        return session.get_one(Connector, connector_id)


def test_a_second_process_takes_what_the_first_has_renewed(make_road: MakeRoad) -> None:
    road = make_road(clock := SetClock(NOON))
    other = open_services(road.services.deployment, clock=clock)
    mine = road.services.open_mautic(connector_of(road.services, road.connector_id))
    theirs = other.open_mautic(connector_of(other, road.connector_id))
    mine.get("contacts", {"limit": 1})
    theirs.get("contacts", {"limit": 1})
    assert signed_in(road) == 1
    clock.advance(hours=1)
    theirs.get("contacts", {"limit": 1})
    mine.get("contacts", {"limit": 1})
    assert signed_in(road) == 2
    other.db.dispose()


def test_who_holds_the_lock_sees_the_refresh_token_of_the_last_renewal(make_road: MakeRoad) -> None:
    road = make_road(clock := SetClock(NOON))
    mine = StoredTokens(road.services, road.connector_id)
    mine.save(Token("a1", clock.now() + timedelta(hours=1), "r1"))
    StoredTokens(road.services, road.connector_id).save(Token("a2", clock.now() + timedelta(hours=2), "r2"))
    known = mine.load()
    assert known is not None and known.refresh_token == "r1"
    with mine.lock():
        stored = mine.load()
    assert stored is not None and stored.refresh_token == "r2"


def test_new_credentials_forget_the_token(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON))
    road.services.open_mautic(connector_of(road.services, road.connector_id)).get("contacts", {"limit": 1})
    connectors.connect(road.services, road.connector_id, mautic_url=road.mautic.url.replace("127.0.0.1", "localhost"))
    road.services.open_mautic(connector_of(road.services, road.connector_id)).get("contacts", {"limit": 1})
    assert signed_in(road) == 2
