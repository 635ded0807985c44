"""What an import has sent is known by its stamp only where the whole road finds it unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, func, select, update

from integration.mapping.aliases import TOTAL_SPENT
from integration.models import Connector, ContactLink, FormerAddress
from integration.models.record_stamp import RecordStamp
from integration.pipeline.delivery import sent_stamps
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from tests.pipeline.door_changes import BOBS, EVERYTHING, NOTHING, billed, configured, happen, written
from tests.pipeline.door_shop import ADA, Shop
from tests.pipeline.drawn_shop import drawn
from tests.pipeline.imported_shop import ImportedShop


def stamped(shop: Shop) -> set[str]:
    with shop.services.db.read() as session:
        found = session.execute(select(RecordStamp.kind, RecordStamp.source_id)).tuples().all()
    return {f"{kind}:{source_id}" for kind, source_id in found}


@pytest.mark.parametrize("per_page", [1, 2, 100])
def test_what_an_import_sent_is_known_in_the_pages_it_was_read_by(services: Services, per_page: int) -> None:
    shop = ImportedShop(services)
    shop.per_page = per_page
    shop.stamp()
    known = shop.known()
    assert known.keys() == EVERYTHING
    assert known == shop.found_by_page()


def test_orders_that_come_by_other_pages_are_looked_at(services: Services) -> None:
    shop = ImportedShop(services)
    shop.stamp()
    shop.per_page = 1
    assert shop.known().keys() == {"contact:1", "order:13"}


# -- whatever the shop is like ----------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_was_imported_no_more_is_known_than_the_road_finds(services: Services, data: st.DataObject) -> None:
    shop = ImportedShop(services)
    drawn(shop, data)
    shop.stamp()
    if data.draw(st.booleans()):
        happen(shop, data)
    known = shop.known()
    assert known.items() <= shop.found_by_page().items()


# -- who gets none ----------------------------------------------------------------------------------------------------


def fault(**command: Any) -> Callable[[MauticServer], object]:
    return lambda mautic: mautic.faults.command(command)


def without_total(mautic: MauticServer) -> None:
    """Somebody has deleted the field since the list was read."""
    number = next(key for key, row in mautic.state.fields.items() if row["alias"] == TOTAL_SPENT)
    del mautic.state.fields[number]
    mautic.state.reindex()


SPECIAL: Mapping[str, Callable[[MauticServer], object]] = {
    "notes are refused": fault(kind="status", value=400, path="/api/notes"),
    "the answer is lost": fault(kind="lose_answer", path="/api/contacts/batch/new"),
    "Mautic is down": fault(kind="down", path="/api/contacts"),
    "a field is gone": without_total,
}


@pytest.mark.parametrize("what", SPECIAL)
def test_who_was_not_delivered_whole_gets_no_stamp(services: Services, what: str) -> None:
    shop = ImportedShop(services, SPECIAL[what])
    shop.stamp()
    assert stamped(shop) == NOTHING


def test_whose_value_mautic_refused_gets_no_stamp(services: Services) -> None:
    shop = ImportedShop(services)
    billed("later", first_name="x" * 300)(shop)
    shop.stamp()
    assert stamped(shop) == BOBS


def test_whose_notes_were_found_in_mautic_is_known(services: Services) -> None:
    shop = ImportedShop(services, fault(kind="lose_answer", path="/api/notes/batch/new"))
    shop.stamp()
    known = shop.known()
    assert known.keys() == EVERYTHING
    assert known == shop.found_by_page()


def test_whose_value_the_plan_made_fit_is_known(services: Services) -> None:
    shop = ImportedShop(services)
    written("other", billing={**shop.rows["other"]["billing"], "first_name": "<b>Bob</b>", "country": "XX"})(shop)
    shop.stamp()
    known = shop.known()
    assert known.keys() == EVERYTHING
    assert known == shop.found_by_page()


@pytest.mark.parametrize(
    "settings", [{"consent__enabled": True, "consent__order_field": "optin"}, {"orders__category_tags": True}]
)
def test_where_more_than_records_decides_nobody_gets_a_stamp(services: Services, settings: dict[str, Any]) -> None:
    shop = ImportedShop(services)
    configured(**settings)(shop)
    shop.list_fields()
    shop.stamp()
    assert stamped(shop) == NOTHING


def test_an_account_whose_id_no_column_holds_gets_no_stamp(services: Services) -> None:
    shop = ImportedShop(services)
    written("customer", id=10**25)(shop)
    shop.stamp()
    assert stamped(shop) == BOBS


def test_who_left_an_address_gets_no_stamp(services: Services) -> None:
    shop = ImportedShop(services)
    with services.db.write() as session:
        session.add(FormerAddress(connector_id=shop.id, person_key="f" * 64, customer_id=1, now_key=ADA, email="a@b.c"))
    shop.stamp()
    assert stamped(shop) == BOBS


def test_a_batch_that_is_not_written_gives_no_stamps(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps stand or fall with the settlement that they are part of."""
    given: list[int] = []

    def broken(session: Any, *rest: Any) -> None:
        give(session, *rest)
        given.append(session.scalar(select(func.count()).select_from(RecordStamp)))
        if len(given) == 1:
            raise RuntimeError("killed")

    give = sent_stamps.give
    monkeypatch.setattr(sent_stamps, "give", broken)
    shop = ImportedShop(services)
    shop.stamp()
    assert given[0] == 4
    assert stamped(shop) == NOTHING
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(ContactLink)) == 0


def test_a_stamp_holds_no_more_when_the_person_was_written_since(services: Services) -> None:
    shop = ImportedShop(services)
    shop.stamp()
    with services.db.write() as session:
        session.execute(update(ContactLink).where(ContactLink.person_key == ADA).values(contact_id=99))
    assert shop.known().keys() == BOBS


def test_whoever_has_no_stamp_is_looked_at(services: Services) -> None:
    shop = ImportedShop(services)
    shop.stamp()
    with services.db.write() as session:
        session.execute(delete(RecordStamp).where(RecordStamp.source_id == "13"))
        assert session.get_one(Connector, shop.id).initial_done_at is not None
    assert shop.known().keys() == EVERYTHING - BOBS
