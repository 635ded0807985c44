"""What is told unchanged at the door is what the whole road finds unchanged, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select

from integration.events import Origin
from integration.identity import person_key_of
from integration.models import (
    Delivery,
    Run,
    SyncLogEntry,
)
from integration.pipeline.delivery.door import PASSES_MAX, Door
from integration.pipeline.delivery.planning import plan_group
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline.door_changes import CHANGES, configured, happen, of_connector
from tests.pipeline.door_shop import ADA, BOB, Shop


@pytest.fixture
def shop(services: Services) -> Shop:
    return Shop(services)


def test_what_has_not_changed_is_told_as_the_road_would_tell_it(shop: Shop) -> None:
    told = shop.told()
    assert told.keys() == {"contact:1", "order:11", "order:12", "order:13"}
    assert told == shop.found()


def test_what_is_told_counts_in_the_run_and_is_nobodys_to_send(shop: Shop) -> None:
    with shop.services.db.write() as session:
        accepted = shop.accept(session, door=True)
        assert (accepted.taken, accepted.settled, accepted.already, accepted.opened) == (4, 4, 0, False)
    with shop.services.db.read() as session:
        run = session.get_one(Run, shop.run.id)
        assert (run.skipped, run.pushed, run.failed, run.calls) == (4, 0, 0, 0)
        found = session.scalars(select(Delivery).where(Delivery.run_id == run.id)).all()
        logged = session.scalars(select(SyncLogEntry).where(SyncLogEntry.run_id == run.id)).all()
        assert {each.id for each in found} == {each.delivery_id for each in logged}
        assert {(each.state, each.error_code) for each in found} == {("skipped", "unchanged")}
        assert {each.contact_id for each in found} == {7, 8}


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_goes_the_road(shop: Shop, what: str) -> None:
    change, may_be_told = CHANGES[what]
    change(shop)
    told = shop.told()
    assert told.keys() <= may_be_told, "what has changed must not be told unchanged"
    found = shop.found()
    assert told.items() <= found.items()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_changes_the_door_tells_no_more_than_the_road(services: Services, data: st.DataObject) -> None:
    shop = Shop(services)
    happen(shop, data)
    told = shop.told()
    assert told.items() <= shop.found().items()


def test_a_record_that_came_back_or_is_gone_goes_the_road(shop: Shop) -> None:
    again = [replace(change, restored=True) for change in shop.changes() if change.source_id == "13"]
    gone = [replace(change, event="deleted") for change in shop.changes() if change.source_id == "11"]
    with shop.tried() as session:
        assert shop.accept(session, door=True, changes=again).settled == 0
        assert shop.accept(session, door=True, changes=gone).settled == 0


def test_live_records_go_the_road(shop: Shop) -> None:
    live = [replace(change, origin=Origin.POLL) for change in shop.changes()]
    with shop.tried() as session:
        assert shop.accept(session, door=True, changes=live).settled == 0


def test_a_first_import_is_let_through(shop: Shop) -> None:
    shop.kind = "initial"
    assert shop.told() == {}
    of_connector(initial_done_at=NOON)(shop)
    assert len(shop.told()) == 4


def test_pages_are_let_through_unseen_while_all_has_changed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(
        "integration.pipeline.delivery.door.plan_group", lambda *a: looked.append(page) or plan_group(*a)
    )
    configured(orders__general_tags=["new"])(shop)
    changes = [change for change in shop.changes() if change.source_id == "13"]
    with shop.tried() as session:
        door = Door(shop.services, session.get_one(Run, shop.run.id))
        for page in range(200):  # noqa: B007
            settled, left = door.settle(session, NOON, [(change, None) for change in changes])
            assert (settled, list(left)) == (0, changes)
    assert looked == [0, 2, 6, 14, 30, 62, *range(62 + PASSES_MAX + 1, 200, PASSES_MAX + 1)]


def test_ada_and_bob_are_who_they_seem() -> None:
    assert (person_key_of("ada@example.com"), person_key_of("bob@example.com")) == (ADA, BOB)
