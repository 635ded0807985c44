"""A person who gets another key while a call of theirs has no answer stays held."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from integration.clock import SetClock
from integration.models import UnansweredPerson
from integration.models.rekeying import rekey
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services
from tests.pipeline import rows
from tests.pipeline.conftest import claim
from tests.pipeline.rows import delivery

OLD, NEW, OTHER = "a" * 32, "b" * 32, "c" * 32
PAUSE = timedelta(seconds=10)


def put_in_question(services: Services, connector_id: int, *person_keys: str) -> None:
    with services.db.write() as session:
        outbox.put_in_question(session, services.clock.now(), connector_id, new_token(), person_keys, PAUSE, PAUSE)


def move(services: Services, connector_id: int, old: str = OLD, new: str = NEW) -> None:
    with services.db.write() as session:
        rekey(session.connection(), connector_id, old, new)


def held(services: Services) -> list[str]:
    with services.db.read() as session:
        return sorted(session.scalars(select(UnansweredPerson.person_key)))


def test_who_is_in_question_stays_so_under_the_new_key(services: Services, connector_id: int, clock: SetClock) -> None:
    rows.store(services, delivery(connector_id, "1", "ready", person_key=OLD))
    put_in_question(services, connector_id, OLD, OTHER)
    move(services, connector_id)
    assert held(services) == [NEW, OTHER]
    clock.advance(minutes=1)
    assert claim(services, connector_id) == []
    with services.db.write() as session:
        asked, groups = outbox.claim_for_look_up(session, clock.now(), connector_id, new_token())
    assert asked is not None
    assert [group.person_key for group in groups] == [NEW]


def test_two_keys_in_question_become_one_that_is_held(services: Services, connector_id: int, clock: SetClock) -> None:
    rows.store(services, delivery(connector_id, "1", "ready", person_key=OLD))
    put_in_question(services, connector_id, OLD)
    put_in_question(services, connector_id, NEW)
    move(services, connector_id)
    assert held(services) == [NEW]
    clock.advance(minutes=1)
    assert claim(services, connector_id) == []


def test_what_the_last_look_found_of_one_key_says_nothing_of_the_other(services: Services, connector_id: int) -> None:
    put_in_question(services, connector_id, OLD)
    with services.db.write() as session:
        session.get_one(UnansweredPerson, (connector_id, OLD)).seen = 1
    move(services, connector_id)
    with services.db.read() as session:
        assert session.get_one(UnansweredPerson, (connector_id, NEW)).seen is None


def test_who_is_in_no_question_gets_into_none(services: Services, connector_id: int) -> None:
    rows.store(services, delivery(connector_id, "1", "ready", person_key=OLD))
    put_in_question(services, connector_id, OTHER)
    move(services, connector_id)
    assert held(services) == [OTHER]
    assert [group.person_key for group in claim(services, connector_id)] == [NEW]
