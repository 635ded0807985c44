"""Field mapping: rows added, tried on a real record, saved, taken back, and sent again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.clock import SetClock
from integration.models import AuditEntry, Connector, Run
from integration.pipeline.connectors import connectors, field_list, mapping_versions
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.web.conftest import Person, text_of
from tests.web.known_fields import ROW, known_mautic

EMAIL = "ada@example.com"


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/mapping"


@pytest.fixture
def mautic(services: Services, connector_id: int) -> Iterator[MauticServer]:
    with known_mautic(services, connector_id) as server:
        yield server


@pytest.fixture
def store(services: Services, connector_id: int) -> Iterator[StoreServer]:
    with StoreServer() as server:
        key = server.credentials
        connectors.connect(services, connector_id, store_url=server.url, store_key=key.key, store_secret=key.secret)
        meta = [{"key": "_vat", "value": "IT1"}, {"key": "_other", "value": {"deep": "x"}}]
        server.shop.place_order(status="completed", billing={"email": EMAIL}, meta_data=meta)
        yield server


def form(*rows: dict[str, Any], act: str = "save", version: int = 0, **more: str) -> dict[str, str]:
    values = {f"rows.{place}.{name}": value for place, row in enumerate(rows) for name, value in row.items()}
    return {**values, "act": act, "version": str(version), **more}


def rows(services: Services, connector: Callable[[], Connector]) -> list[str]:
    return [f"{row.source} {row.alias}" for row in services.modules(connector()).mapping.rows]


def test_without_rows_the_page_says_what_one_is_for(viewer: Person, page: str) -> None:
    words = text_of(viewer.get(page))
    assert "There is no row yet." in words
    assert "The list of Mautic's fields has not been read yet." in words
    assert "Add a row" not in words


def test_a_row_is_added_and_taken_out_without_being_saved(
    admin: Person, page: str, mautic: MauticServer, services: Services, connector: Callable[[], Connector]
) -> None:
    added = admin.post(page, data=form(ROW, act="add"))
    assert 'name="rows.1.source"' in added.text
    removed = admin.post(page, data=form(ROW, ROW, act="remove:0"))
    assert 'name="rows.0.source"' in removed.text
    assert 'name="rows.1.source"' not in removed.text
    assert rows(services, connector) == []


def test_rows_are_saved_with_a_version_and_an_audit_entry(
    admin: Person,
    page: str,
    mautic: MauticServer,
    services: Services,
    connector: Callable[[], Connector],
    audit_of: Callable[[str], list[AuditEntry]],
) -> None:
    words = text_of(admin.post(page, data=form(ROW), follow_redirects=True))
    assert "The mapping was saved." in words
    assert "Order: meta_data._vat → to position" in words
    assert rows(services, connector) == ["meta_data._vat position"]
    [entry] = [each for each in audit_of("UPDATED") if each.entity == "field mapping"]
    assert entry.diff == {"mapping.order → position": [None, "meta_data._vat"]}
    assert "Nothing has changed." in text_of(admin.post(page, data=form(ROW, version=1), follow_redirects=True))


def test_what_cannot_be_used_stands_at_its_row_and_nothing_is_saved(
    admin: Person, page: str, mautic: MauticServer, services: Services, connector: Callable[[], Connector]
) -> None:
    loop = {**ROW, "source": "meta_data._mautic_woo_score"}
    answer = admin.post(page, data=form(ROW, loop, {**ROW, "kind": "contact", "alias": "gone"}))
    assert answer.status_code == 400
    assert "go round in a circle" in text_of(answer)
    answer = admin.post(page, data=form(ROW, {**ROW, "kind": "contact", "alias": "gone"}))
    assert answer.status_code == 400
    assert "Mautic has no field “gone”" in text_of(answer)
    assert re.search(r'name="rows\.1\.alias" aria-invalid="true"', answer.text)
    answer = admin.post(page, data=form(ROW, ROW))
    assert "another row fills “position” before it" in text_of(answer)
    assert rows(services, connector) == []


def test_two_people_who_edit_at_once_are_told(
    admin: Person, page: str, mautic: MauticServer, services: Services, connector: Callable[[], Connector]
) -> None:
    admin.post(page, data=form(ROW))
    late = admin.post(page, data=form({**ROW, "source": "shipping.city"}))
    assert late.status_code == 409
    assert "has saved version 1 of the mapping meanwhile." in text_of(late)
    assert rows(services, connector) == ["meta_data._vat position"]
    again = {"version": re.findall(r'name="version" value="(\d+)"', late.text)[0]}
    admin.post(page, data={**form({**ROW, "source": "shipping.city"}), **again})
    assert rows(services, connector) == ["shipping.city position"]


def test_one_goes_back_to_an_earlier_version_as_a_new_one(
    admin: Person,
    support: Person,
    page: str,
    mautic: MauticServer,
    services: Services,
    connector: Callable[[], Connector],
    connector_id: int,
) -> None:
    admin.post(page, data=form(ROW))
    admin.post(page, data=form({**ROW, "source": "shipping.city"}, version=1))
    assert support.post(f"{page}/back", data={"number": "1"}).status_code == 403
    words = text_of(admin.post(f"{page}/back", data={"number": "1"}, follow_redirects=True))
    assert "Version 1 is in use again." in words
    assert "back to version 1" in words
    assert rows(services, connector) == ["meta_data._vat position"]
    with services.db.read() as session:
        assert mapping_versions.newest(session, connector_id) == 3
    assert [admin.post(f"{page}/back", data={"number": each}).status_code for each in ("9", "x", "")] == [404] * 3


def test_unsaved_rows_are_tried_on_a_real_record(
    support: Person,
    page: str,
    mautic: MauticServer,
    store: StoreServer,
    services: Services,
    connector: Callable[[], Connector],
) -> None:
    note = {**ROW, "alias": "zipcode", "source": "made.order_number", "default": "x"}
    words = text_of(support.post(page, data=form(ROW, note, act="try", trial_kind="order")))
    assert "position IT1 IT1" in words
    assert "Nothing was sent, and nothing was saved." in words
    assert rows(services, connector) == []
    assert not mautic.state.contacts
    words = text_of(support.post(page, data=form(ROW, act="try", trial_kind="order", trial_id="999")))
    assert "The store has no order 999." in words
    assert support.post(page, data=form(ROW, act="try", trial_kind="order", trial_id="x")).status_code == 400
    assert "There is no cart yet." in text_of(support.post(page, data=form(act="try", trial_kind="abandoned_cart")))


def test_support_may_try_but_not_save(support: Person, viewer: Person, stranger: Person, page: str) -> None:
    assert support.post(page, data=form(ROW)).status_code == 403
    assert viewer.post(page, data=form(act="try")).status_code == 403
    assert viewer.post(f"{page}/resend").status_code == 403
    assert stranger.get(page).status_code == 404


def test_the_store_suggests_paths_with_examples(support: Person, page: str, store: StoreServer) -> None:
    found = support.get(f"{page}/paths").text
    for path in ("meta_data._vat", "meta_data._other.deep", "billing.city", "shipping.city", "made.items_text"):
        assert f'<option value="{path}">' in found


def test_mautic_down_shows_the_last_list_and_says_so(
    admin: Person, page: str, mautic: MauticServer, services: Services, clock: SetClock
) -> None:
    mautic.stop()
    clock.advance(minutes=5)
    words = text_of(admin.post(page, data=form(ROW, act="try")))
    assert "Mautic does not tell its fields at the moment" in words
    assert "The last list that was read is shown." in words
    assert "Position – position (text" in words


def test_a_field_that_mautic_lost_is_told_on_the_page_and_as_a_symptom(
    admin: Person,
    viewer: Person,
    page: str,
    mautic: MauticServer,
    services: Services,
    connector: Callable[[], Connector],
    connector_id: int,
) -> None:
    admin.post(page, data=form(ROW))
    [number] = [key for key, field in mautic.state.fields.items() if field["alias"] == "position"]
    del mautic.state.fields[number]
    field_list.refresh(services, connector(), services.open_mautic(connector()), anew=True)
    assert "Mautic has no field position; make it there again" in text_of(viewer.get(page))
    assert "A mapped field has changed in Mautic" in text_of(viewer.get(f"/connectors/{connector_id}/"))


def test_a_change_offers_to_send_again_whom_it_concerns(
    admin: Person,
    support: Person,
    page: str,
    mautic: MauticServer,
    store: StoreServer,
    services: Services,
    connector: Callable[[], Connector],
) -> None:
    before = text_of(admin.post(page, data=form({**ROW, "alias": "zipcode"}), follow_redirects=True))
    assert "Send the affected again" not in before
    with services.db.write() as session:
        session.merge(connector()).initial_done_at = services.clock.now()
    words = text_of(admin.post(page, data=form(ROW, version=1), follow_redirects=True))
    assert "Send the affected again" in words
    started = support.post(f"{page}/resend")
    assert "/runs/" in started.location
    with services.db.read() as session:
        [run] = session.query(Run).all()
    assert (run.kind, run.options) == ("bulk", {"only": ["orders"]})
    assert "Send the affected again" not in text_of(admin.get(page))
    assert "Nothing waits to be sent again." in text_of(support.post(f"{page}/resend", follow_redirects=True))


def test_a_hostile_form_is_an_error_and_no_fault(admin: Person, page: str, mautic: MauticServer) -> None:
    odd = {f"rows.{place}.source": "x" for place in range(120)}
    assert admin.post(page, data={**odd, "act": "save"}).status_code == 400
    assert admin.post(page, data={"rows.0.kind": "\x00", "version": "x" * 50, "act": "save"}).status_code == 400
    assert admin.post(page, data={"rows.99999.kind": "order", "act": "try:::"}).status_code in (200, 400, 302)
