"""The tab Abandoned Cart: its settings and the line for the shop, the list, one cart, and why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.models import AuditEntry, Cart, CartEvent, CartLeftover, CartState, Connector, Delivery
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.records import Cart as CartRecord
from integration.sandbox.mautic import MauticServer
from integration.streams.carts import ABANDONED, change_of
from tests import cart_rows
from tests.web.conftest import Person, text_of

CONSENT = {"source": "box", "wording": "Remind me.", "at": "2026-11-20T12:00:00+00:00", "draft_id": None}


@pytest.fixture
def add(services: Services, connector_id: int) -> Callable[..., int]:
    """Adds a cart of half an hour ago."""

    def made(**values: Any) -> int:
        at = services.clock.now() - timedelta(minutes=30)
        with services.db.write() as session:
            return cart_rows.keep(session, connector_id, at, **{"consent": CONSENT, **values}).id

    return made


@pytest.fixture
def url(connector_id: int) -> str:
    return f"/connectors/{connector_id}/carts"


def carts(services: Services) -> list[Cart]:
    with services.db.read() as session:
        return list(session.scalars(select(Cart)))


def test_the_tab_stands_between_order_sync_and_fields_and_shows_the_line(
    viewer: Person, url: str, connector: Callable[[], Connector]
) -> None:
    page = viewer.get(url)
    words = text_of(page)
    assert words.index("Order Sync") < words.index("Abandoned Cart") < words.index("Mautic Fields")
    assert f"/carts/{connector().cart_key}.js" in words
    assert "woocommerce_register_additional_checkout_field" in words
    assert "Abandoned Cart is switched off, so no cart is captured." in words


def test_settings_are_saved_and_wrong_ones_come_back_at_their_field(
    admin: Person, url: str, services: Services
) -> None:
    form = {"carts.enabled": "1", "carts.box": "1", "carts.box_text": "Remind me.", "carts.timeout": "1"}
    rest = {"carts.tag": "left", "carts.recovered_tag": "back", "carts.segment": "0", "carts.coupon": "percent"}
    more = {"carts.coupon_days": "7", "carts.coupon_minimum": "0", "carts.coupon_use": "bound", "carts.keep_days": "90"}
    page = admin.post(url, {**form, **rest, **more, "carts.coupon_amount": "101"})
    assert (page.status_code, "A coupon takes at most 100 percent." in text_of(page)) == (400, True)
    page = admin.post(url, {**form, **rest, **more, "carts.coupon_amount": "ten", "carts.timeout": "0"})
    assert "This is not an amount." in text_of(page)
    assert re.search("Minutes until a cart is abandoned.{0,200}1", text_of(page))
    saved = admin.post(url, {**form, **rest, **more, "carts.coupon_amount": "7,5"}, follow_redirects=True)
    assert "The settings were saved." in text_of(saved)
    with services.db.read() as session:
        module = services.modules(session.scalars(select(Connector)).first()).carts  # type: ignore[arg-type]  # it is there
    assert (module.enabled, module.timeout, module.coupon, module.coupon_amount) == (True, 1, "percent", "7.5")


@pytest.mark.parametrize(("module", "page"), [("carts", "carts"), ("subscribe", "subscriptions")])
def test_a_segment_that_mautic_has_no_more_stays_chosen(
    admin: Person, services: Services, connector_id: int, module: str, page: str
) -> None:
    with MauticServer() as mautic:
        key = mautic.credentials
        secrets = {"mautic_client_id": key.client_id, "mautic_client_secret": key.client_secret}
        pairs.connect(services, connector_id, mautic_url=mautic.url, **secrets)
        pairs.configure(services, connector_id, {f"{module}.segment": 4711})
        shown = admin.get(f"/connectors/{connector_id}/{page}").text
    assert re.search(r'value="4711"\s+selected>4711 \(no longer in Mautic\)', shown)


def test_the_guide_is_shown_with_its_pictures(viewer: Person, url: str) -> None:
    page = viewer.get(f"{url}/guide")
    assert "<table>" in page.text
    pictures = re.findall(r'src="(/static/guide/[^"]+)"', page.text)
    assert len(pictures) == 3
    assert {viewer.get(picture).status_code for picture in pictures} == {200}


@pytest.mark.parametrize(
    ("settings", "state", "said"),
    [
        ({"carts.enabled": False}, {}, "switched off"),
        ({"carts.enabled": True, "carts.box": False}, {}, "nothing is captured"),
        ({"carts.enabled": True}, {}, "The first import is not done"),
        ({"carts.enabled": True}, {}, "No cart has been seen lately."),
        ({"carts.enabled": True}, {"state": "active", "email": ""}, "1 cart of the last 30 days had no e-mail address"),
        ({"carts.enabled": True}, {"state": "no_consent", "email": ""}, "came without consent"),
        ({"carts.enabled": True}, {"state": "abandoned", "problem": "The store is down."}, "could not be sent yet"),
    ],
)
def test_the_log_and_the_search_say_why_there_is_no_cart(
    viewer: Person,
    services: Services,
    connector_id: int,
    add: Callable[..., int],
    settings: dict[str, Any],
    state: dict[str, Any],
    said: str,
) -> None:
    pairs.configure(services, connector_id, settings)
    if state:
        add(**state)
    assert said in text_of(viewer.get(f"/connectors/{connector_id}/tools/log?type=abandoned_cart"))
    assert said in text_of(viewer.get(f"/connectors/{connector_id}/tools/log?action=cart_sync"))
    assert said in text_of(viewer.get("/search?q=cart+999", follow_redirects=True))


def test_the_list_has_figures_and_filters(
    viewer: Person, url: str, add: Callable[..., int], services: Services
) -> None:
    now = services.clock.now()
    add(synced_at=now)
    add(state="recovered", synced_at=now, revenue="49.90", revenue_currency="EUR", email="bert@shop.example")
    add(state="bought", email="carl@shop.example")
    words = text_of(viewer.get(f"{url}/list"))
    assert "50.0 %" in words
    assert "49.90 EUR" in words
    assert "3 carts found." in words
    found = text_of(viewer.get(f"{url}/list?state=recovered"))
    assert "bert@shop.example" in found
    assert "carl@shop.example" not in found
    assert "carl@shop.example" in text_of(viewer.get(f"{url}/list?email=CARL@shop.example"))
    assert "There is no state “odd”." in text_of(viewer.get(f"{url}/list?state=odd"))
    assert "1 cart found." in text_of(viewer.get(f"{url}/list?since=2026-01-01&state=bought"))
    assert "Older" in text_of(viewer.get(f"{url}/list?size=10")) or "3 carts found." in words


def test_one_cart_tells_its_story_and_its_consent(
    viewer: Person, url: str, add: Callable[..., int], services: Services
) -> None:
    lines = [{"name": "Tea", "product_id": 13, "quantity": "2", "price": "4.50", "total": "9.00"}]
    number = add(lines=lines, total="9.00", currency="EUR", proof="coupon", bought_order_id=77, coupon_code="RECOVER-X")
    with services.db.write() as session:
        session.add(CartEvent(cart_id=number, at=services.clock.now(), text="Sent to Mautic, contact 5."))
    words = text_of(viewer.get(f"{url}/{number}"))
    for part in ("Tea", "9.00 EUR", "“Remind me.”", "RECOVER-X", "Order 77", "the order used this cart's coupon"):
        assert part in words
    assert "Sent to Mautic, contact 5." in words
    assert viewer.get(f"/search?q=cart+{number}").location.endswith(f"{url}/{number}")
    assert viewer.get(f"{url}/{number + 1}").status_code == 404


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"state": "synced"}, "The cart is sent again within a minute."),
        ({"state": "expired", "ended_at": None}, "The cart is sent again within a minute."),
        ({"state": "recovered"}, "The cart was bought, so nobody is reminded of it."),
        ({"state": "active", "email": ""}, "No e-mail address is known"),
        ({"state": "no_consent", "consent": None}, "Nobody agreed"),
    ],
)
def test_a_cart_is_sent_again_where_that_makes_sense(
    support: Person, url: str, add: Callable[..., int], services: Services, values: dict[str, Any], said: str
) -> None:
    number = add(**values)
    answer = support.post(f"{url}/{number}/send", follow_redirects=True)
    assert said in text_of(answer)
    sent = carts(services)[0].state == CartState.ABANDONED
    assert sent is said.startswith("The cart is sent again")
    with services.db.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.entity == f"cart {number}")).all()
    assert [entry.action for entry in entries] == (["REPLAYED"] if sent else [])


def test_a_forgotten_cart_leaves_nothing_and_is_not_sent(
    admin: Person, url: str, add: Callable[..., int], services: Services, connector_id: int
) -> None:
    number, now = add(), services.clock.now()
    with services.db.write() as session:
        cart = CartRecord(number, "anna@shop.example", "EUR", 1)  # type: ignore[arg-type]  # any amount does
        outbox.accept(session, now, connector_id, [change_of(cart, ABANDONED, now)])
    assert "is deleted with its story" in text_of(admin.get(f"{url}/{number}/forget"))
    assert "was forgotten" in text_of(admin.post(f"{url}/{number}/forget", follow_redirects=True))
    assert carts(services) == []
    with services.db.read() as session:
        (row,) = session.scalars(select(Delivery))
    assert (row.state, row.payload) == ("discarded", None)


def test_who_forgets_a_cart_is_told_that_its_coupon_waits_for_the_store(
    admin: Person, url: str, add: Callable[..., int], services: Services
) -> None:
    number = add(coupon_id=77, coupon_code="RECOVER-X")
    assert "is asked again within a day" in text_of(admin.post(f"{url}/{number}/forget", follow_redirects=True))
    with services.db.read() as session:
        assert session.scalars(select(CartLeftover.coupon_id)).all() == [77]


def test_of_two_carts_of_a_person_only_the_newest_is_sent_again(
    support: Person, url: str, add: Callable[..., int], services: Services
) -> None:
    older, newer = add(items=[]), add(items=[{"id": 13, "qty": 1}])
    said = f"The person has left a newer cart, cart {newer}, and is reminded of that one."
    assert said in text_of(support.post(f"{url}/{older}/send", follow_redirects=True))
    assert said not in text_of(support.get(f"{url}/{newer}"))


def test_a_viewer_may_neither_send_nor_forget(viewer: Person, url: str, add: Callable[..., int]) -> None:
    number = add()
    assert viewer.post(f"{url}/{number}/send").status_code == 403
    assert viewer.post(f"{url}/{number}/forget").status_code == 403
    assert "Forget" not in text_of(viewer.get(f"{url}/{number}"))


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    ("ours", "shop", "told", "is_said"),
    [
        ("http://our.example", "https://shop.example", {}, True),
        ("http://127.0.0.1:8000", "https://shop.example", {}, True),
        ("http://our.example", "http://shop.example", {"home": "https://shop.example"}, True),
        ("https://our.example", "https://shop.example", {}, False),
        ("https://our.example", "http://shop.example", {}, False),
        ("http://our.example", "http://shop.example", {}, False),
        ("http://our.example", "", {}, False),
    ],
)
def test_a_site_on_http_for_a_shop_on_https_is_said_as_a_problem(
    viewer: Person,
    services: Services,
    connector_id: int,
    url: str,
    enabled: bool,
    ours: str,
    shop: str,
    told: dict[str, str],
    is_said: bool,
) -> None:
    services.deployment = services.deployment.model_copy(update={"public_url": ours})
    pairs.configure(services, connector_id, {"carts.enabled": enabled})
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.store_url, row.store_facts = shop, told
    page = viewer.get(url)
    sentence = f"The shop is served by https and this site by http ({ours}): browsers load no script across that."
    assert (page.status_code, sentence in text_of(page)) == (200, is_said)
    assert ("Serve this site by https and set PUBLIC_URL." in text_of(page)) is is_said
