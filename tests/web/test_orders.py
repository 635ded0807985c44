"""Order Sync: statuses, tags, notes, and the pickers filled from Mautic."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.seed import seed
from tests.web.conftest import Person, text_of, version

TYPED = {
    "orders.enabled": "1",
    "orders.statuses": ["completed", "processing"],
    "orders.paid_statuses": ["completed"],
    "orders.notes": "1",
    "orders.general_tags": "woo",
    "orders.sku_filter": "MUG, CUP",
    "orders.emails:completed": "3",
    "orders.emails:processing": "0",
    "orders.segments:completed": "",
}


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/orders"


def test_an_admin_saves(admin: Person, page: str, services: Services, connector: Callable[[], Connector]) -> None:
    assert "The settings were saved." in text_of(admin.post(page, TYPED, follow_redirects=True))
    saved = services.modules(connector()).orders
    assert (saved.statuses, saved.paid_statuses) == (("completed", "processing"), ("completed",))
    assert (saved.notes, saved.product_tags, saved.order_data) == (True, False, False)
    assert (dict(saved.emails), dict(saved.segments)) == ({"completed": 3}, {})
    assert saved.sku_filter == ("MUG", "CUP")


def test_a_wrong_number_names_the_field_and_saves_nothing(
    admin: Person, page: str, services: Services, connector: Callable[[], Connector]
) -> None:
    answer = admin.post(page, {**TYPED, "orders.emails:completed": "three"})
    assert answer.status_code == 400
    assert "“E-mail on status” must be a whole number" in text_of(answer)
    assert 'value="MUG,CUP"' in answer.text.replace(", ", ",")
    assert services.modules(connector()).orders.notes is False


def test_an_e_mail_of_a_status_that_is_not_synced_is_warned_about(admin: Person, page: str) -> None:
    admin.post(page, {**TYPED, "orders.statuses": ["processing"]})
    assert "“Completed” has an e-mail, but orders of that status are not synced." in text_of(admin.get(page))


def test_presets_tick_without_saving(
    admin: Person, page: str, services: Services, connector: Callable[[], Connector]
) -> None:
    assert f'formaction="{page}/preset"' in admin.get(page).text
    shown = admin.post(f"{page}/preset", {**TYPED, "preset": "all"}).text
    assert 'name="orders.statuses" value="failed" checked' in shown
    assert 'value="MUG,CUP"' in shown.replace(", ", ",")
    assert services.modules(connector()).orders.statuses == ("completed", "refunded")
    assert services.modules(connector()).orders.sku_filter == ()
    assert admin.post(f"{page}/preset", {**TYPED, "preset": "odd"}).status_code == 404


def test_the_second_of_two_people_is_told_and_may_overwrite(
    admin: Person, super_admin: Person, page: str, services: Services, connector: Callable[[], Connector]
) -> None:
    first, second = version(admin.get(page)), version(super_admin.get(page))
    assert admin.post(page, {**TYPED, "orders.general_tags": "vip", **first}).status_code == 302
    typed = {**TYPED, "orders.general_tags": "gold", **second}
    told = super_admin.post(page, typed)
    assert told.status_code == 409
    assert "Somebody has changed “Tags for every order” meanwhile; it is “vip” now." in text_of(told)
    assert 'value="gold"' in told.text
    assert services.modules(connector()).orders.general_tags == ("vip",)
    assert super_admin.post(page, {**typed, **version(told)}).status_code == 302
    assert services.modules(connector()).orders.general_tags == ("gold",)


def test_two_people_on_different_settings_are_no_conflict(admin: Person, page: str, connector_id: int) -> None:
    settings = f"/connectors/{connector_id}/contacts"
    mine = version(admin.get(page))
    admin.post(settings, {"contacts.default_tags": "a", "sync.every": "600"})
    assert admin.post(page, {**TYPED, **mine}).status_code == 302
    assert admin.post(page, {**TYPED, "version": "{odd"}).status_code == 302


@pytest.mark.parametrize("name", ["orders.statuses", "orders.paid_statuses"])
def test_no_status_is_said_at_its_field(
    admin: Person, page: str, services: Services, connector: Callable[[], Connector], name: str
) -> None:
    typed = {**TYPED, "orders.lifetime": "1", "orders.paid_statuses": ["completed"]}
    answer = admin.post(page, {key: value for key, value in typed.items() if key != name})
    assert (answer.status_code, "Tick at least one, or switch" in text_of(answer)) == (400, True)
    assert services.modules(connector()).orders.statuses == ("completed", "refunded")
    off = {key: value for key, value in typed.items() if key not in ("orders.enabled", name)}
    assert admin.post(page, off).status_code == 302


def test_without_mautic_numbers_are_typed_and_the_reason_is_said(admin: Person, page: str) -> None:
    shown = admin.get(page)
    assert "The list could not be read from Mautic:" in text_of(shown)
    assert '<input type="number" name="orders.emails:completed"' in shown.text


def test_the_pickers_are_filled_from_mautic(admin: Person, page: str, services: Services, connector_id: int) -> None:
    with MauticServer() as mautic:
        seed(mautic.state)
        connectors.connect(
            services,
            connector_id,
            mautic_url=mautic.url,
            mautic_client_id=mautic.credentials.client_id,
            mautic_client_secret=mautic.credentials.client_secret,
        )
        shown = admin.get(page).text
    assert ">Order completed</option>" in shown
    assert ">Newsletter</option>" in shown


def test_who_may_what(viewer: Person, support: Person, stranger: Person, page: str) -> None:
    assert "Save changes" not in text_of(support.get(page))
    assert [who.post(page, TYPED).status_code for who in (viewer, support, stranger)] == [403, 403, 404]
    assert stranger.get(page).status_code == 404


def test_the_page_says_when_an_e_mail_goes_and_saving_keeps_since_when(
    admin: Person, page: str, connector: Callable[[], Connector], clock: SetClock
) -> None:
    assert "when an order reaches the status after the e-mail was set here" in text_of(admin.get(page))
    admin.post(page, TYPED)
    first = connector().triggers
    assert set(first) == {"orders.emails:completed", "orders.notes"}
    clock.advance(hours=1)
    admin.post(page, TYPED)
    assert connector().triggers == first
    admin.post(page, {**TYPED, "orders.emails:completed": "2"})
    changed = connector().triggers
    assert changed["orders.notes"] == first["orders.notes"]
    assert changed["orders.emails:completed"] == clock.now().isoformat()


def told(services: Services, connector_id: int, **facts: object) -> None:
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.store_facts = {**row.store_facts, **facts}


def test_category_tags_are_chosen_and_a_store_that_does_not_tell_them_is_said(
    admin: Person, page: str, services: Services, connector: Callable[[], Connector], connector_id: int
) -> None:
    admin.post(page, {**TYPED, "orders.category_tags": "1", "orders.subscriptions": "1"})
    saved = services.modules(connector()).orders
    assert (saved.category_tags, saved.subscriptions) == (True, True)
    assert "does not tell its products' categories" not in text_of(admin.get(page))
    told(services, connector_id, categories_refused={"at": "2026-11-28T10:00:00+00:00", "why": "The key may not."})
    assert "The store does not tell its products' categories. The key may not." in text_of(admin.get(page))


@pytest.mark.parametrize("known", [True, None])
def test_subscription_tags_are_offered_unless_the_store_has_none(
    admin: Person, page: str, services: Services, connector_id: int, known: bool | None
) -> None:
    told(services, connector_id, subscriptions=known)
    shown = admin.get(page)
    assert 'type="checkbox" id="orders.subscriptions"' in shown.text
    assert "Your store has no subscriptions" not in text_of(shown)


def test_a_store_without_subscriptions_says_so_and_the_choice_can_be_kept_or_taken_back(
    admin: Person, page: str, services: Services, connector: Callable[[], Connector], connector_id: int
) -> None:
    connectors.configure(services, connector_id, {"orders.subscriptions": True})
    told(services, connector_id, subscriptions=False)
    shown = admin.get(page)
    assert "Your store has no subscriptions (WooCommerce Subscriptions)" in text_of(shown)
    assert 'name="orders.subscriptions" value="1" checked' in " ".join(shown.text.split())
    admin.post(page, {**TYPED, "orders.subscriptions": "1"})
    assert services.modules(connector()).orders.subscriptions
    admin.post(page, TYPED)
    assert not services.modules(connector()).orders.subscriptions
    assert "Your store has no subscriptions" not in text_of(admin.get(page))


@pytest.mark.parametrize("place", ["contacts", "orders", "carts", "settings"])
def test_no_setting_is_saved_that_its_page_does_not_show(
    admin: Person, services: Services, connector_id: int, place: str
) -> None:
    told(services, connector_id, subscriptions=False)
    connectors.configure(services, connector_id, {"orders.subscriptions": True})
    hidden = re.findall(r'<input[^>]*type="hidden"[^>]*>', admin.get(f"/connectors/{connector_id}/{place}").text)
    assert hidden
    assert [each for each in hidden if re.search(r'name="[a-z]+\.', each)] == []
