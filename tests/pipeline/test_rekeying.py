"""A person who gets another key while a call of theirs has no answer stays held."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from integration.clock import SetClock
from integration.models import UnansweredPerson
from integration.models.rekeying import rekey
from integration.pipeline import outbox
from integration.pipeline.leases import new_token
from integration.pipeline.ports import Ports
from tests.pipeline import rows
from tests.pipeline.rows import delivery
from tests.pipeline.test_outbox import claim

OLD, NEW, OTHER = "a" * 32, "b" * 32, "c" * 32
PAUSE = timedelta(seconds=10)


def put_in_question(ports: Ports, connector_id: int, *subjects: str) -> None:
    with ports.db.write() as session:
        outbox.put_in_question(session, ports.clock.now(), connector_id, new_token(), subjects, PAUSE, PAUSE)


def move(ports: Ports, connector_id: int, old: str = OLD, new: str = NEW) -> None:
    with ports.db.write() as session:
        rekey(session.connection(), connector_id, old, new)


def held(ports: Ports) -> list[str]:
    with ports.db.read() as session:
        return sorted(session.scalars(select(UnansweredPerson.subject)))


def test_who_is_in_question_stays_so_under_the_new_key(ports: Ports, connector_id: int, clock: SetClock) -> None:
    rows.store(ports, delivery(connector_id, "1", "ready", subject=OLD))
    put_in_question(ports, connector_id, OLD, OTHER)
    move(ports, connector_id)
    assert held(ports) == [NEW, OTHER]
    clock.advance(minutes=1)
    assert claim(ports, connector_id) == []
    with ports.db.write() as session:
        asked, lines = outbox.claim_asked(session, clock.now(), connector_id, new_token())
    assert asked is not None
    assert [line.subject for line in lines] == [NEW]


def test_two_keys_in_question_become_one_that_is_held(ports: Ports, connector_id: int, clock: SetClock) -> None:
    rows.store(ports, delivery(connector_id, "1", "ready", subject=OLD))
    put_in_question(ports, connector_id, OLD)
    put_in_question(ports, connector_id, NEW)
    move(ports, connector_id)
    assert held(ports) == [NEW]
    clock.advance(minutes=1)
    assert claim(ports, connector_id) == []


def test_what_the_last_look_found_of_one_key_says_nothing_of_the_other(ports: Ports, connector_id: int) -> None:
    put_in_question(ports, connector_id, OLD)
    with ports.db.write() as session:
        session.get_one(UnansweredPerson, (connector_id, OLD)).seen = 1
    move(ports, connector_id)
    with ports.db.read() as session:
        assert session.get_one(UnansweredPerson, (connector_id, NEW)).seen is None


def test_who_is_in_no_question_gets_into_none(ports: Ports, connector_id: int) -> None:
    rows.store(ports, delivery(connector_id, "1", "ready", subject=OLD))
    put_in_question(ports, connector_id, OTHER)
    move(ports, connector_id)
    assert held(ports) == [OTHER]
    assert [line.subject for line in claim(ports, connector_id)] == [NEW]
