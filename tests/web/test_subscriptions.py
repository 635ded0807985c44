"""Subscribe form and Subscriptions below Contact Sync: settings, lines for the shop, the list and the evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from integration.identity import person_key_of
from integration.models import AuditEntry, Connector, Delivery, Subscription
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.ingest import records
from integration.pipeline.services import Services
from integration.records import Subscriber
from integration.settings import Modules
from integration.streams.subscriptions import SUBSCRIBED, change_of
from integration.web.modules.subscriptions import FORM
from tests.web.conftest import Person, text_of


@pytest.fixture
def url(connector_id: int) -> str:
    return f"/connectors/{connector_id}/subscriptions"


@pytest.fixture
def add(services: Services, connector_id: int) -> Callable[..., int]:
    """Adds a subscription that is owed to Mautic."""

    def made(email: str = "anna@shop.example", **values: Any) -> int:
        now = services.clock.now()
        given = {"state": "confirmed", "consent_text": "Yes, news.", "source": "script", "ip": "192.0.2.7", **values}
        with services.db.write() as session:
            row = Subscription(
                connector_id=connector_id, email=email, person_key=person_key_of(email), created_at=now, **given
            )
            session.add(row)
            session.flush()
            records.accept(session, now, connector_id, [change_of(Subscriber(row.id, email), SUBSCRIBED, now)])
            return row.id

    return made


def typed(**changes: str) -> dict[str, str]:
    """The form as a browser sends it with its defaults."""
    stored = Modules().subscribe.model_dump()
    values = {f"subscribe.{name}": value for name, value in stored.items()}
    sent = {name: str(value) for name, value in values.items() if not isinstance(value, bool | tuple)}
    return {**sent, **{f"subscribe.{name}": value for name, value in changes.items()}}


def test_every_setting_is_on_the_page(viewer: Person, url: str) -> None:
    page = viewer.get(url).text
    with viewer.client.application.test_request_context():
        assert {name for name in FORM()._fields if name != "csrf_token"} == {
            f"subscribe.{name}" for name in Modules().subscribe.model_dump()
        }
    assert all(f'name="subscribe.{name}"' in page for name in Modules().subscribe.model_dump())


def test_the_pages_stand_below_contact_sync_with_lines_to_copy(
    viewer: Person, url: str, connector: Callable[[], Connector], connector_id: int
) -> None:
    page = viewer.get(url)
    assert 'aria-current="page">Contact Sync' in page.text
    address = f"/subscribe/{connector().cart_key}"
    words = text_of(page)
    for part in (f"{address}.js", f"{address}?frame=light", "data-woo-mautic-subscribe", "mautic_woo_subscribe"):
        assert part in words
    assert "Subscribe form" in text_of(viewer.get(f"/connectors/{connector_id}/contacts"))
    assert "switched off, so nobody can subscribe" in text_of(viewer.get(f"{url}/list"))


def test_settings_are_saved_audited_and_wrong_ones_come_back_at_their_field(
    admin: Person, url: str, connector: Callable[[], Connector], audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    for wrong, said in (
        ({"go_to": "javascript:alert(1)"}, "This is not the address of a page."),
        ({"go_to": "https://shop.example/;script-src *"}, "This is not the address of a page."),
        ({"consent_text": ""}, "The settings were not saved."),
        ({"enabled": "1", "double_opt_in": "1"}, "Without an e-mail nobody could confirm."),
    ):
        page = admin.post(url, typed(**wrong))
        assert (page.status_code, said in text_of(page)) == (400, True), wrong
    good = typed(enabled="1", tags="News, Shop", button="Anmelden", go_to="https://shop.example/danke?x=1")
    assert "The settings were saved." in text_of(admin.post(url, good, follow_redirects=True))
    module = Modules.from_json(connector().settings).subscribe
    assert (module.enabled, module.tags, module.button) == (True, ("News", "Shop"), "Anmelden")
    assert module.go_to == "https://shop.example/danke?x=1"
    assert set(audit_of("UPDATED")[-1].diff) == {
        "subscribe.enabled",
        "subscribe.tags",
        "subscribe.button",
        "subscribe.go_to",
    }


def test_the_list_filters_and_the_evidence_is_for_support(
    viewer: Person, support: Person, url: str, add: Callable[..., int], services: Services
) -> None:
    first = add(first_name="<b>Anna", page="https://shop.example/news")
    add("bert@shop.example", state="pending", problem="Mautic has no e-mail 1.")
    words = text_of(viewer.get(f"{url}/list"))
    assert "2 subscriptions found." in words
    assert "Problem" in words
    assert "bert@shop.example" not in text_of(viewer.get(f"{url}/list?state=confirmed"))
    assert "1 subscription found." in text_of(viewer.get(f"{url}/list?email=ANNA@shop.example"))
    assert "There is no state “odd”." in text_of(viewer.get(f"{url}/list?state=odd"))
    assert viewer.get(f"{url}/{first}").status_code == 403
    page = support.get(f"{url}/{first}")
    for part in ("“Yes, news.”", "192.0.2.7", "https://shop.example/news", "<b>Anna"):
        assert part in text_of(page)
    assert "<b>Anna" not in page.text
    assert support.get(f"{url}/99").status_code == 404
    assert support.get(f"{url}/{first}/forget").status_code == 403


def test_a_forgotten_subscription_leaves_nothing_and_is_not_sent(
    admin: Person, url: str, add: Callable[..., int], services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    number, other = add(), add("bert@shop.example")
    assert "the evidence that the person agreed" in text_of(admin.get(f"{url}/{number}/forget"))
    assert "was forgotten" in text_of(admin.post(f"{url}/{number}/forget", follow_redirects=True))
    with services.db.read() as session:
        assert session.scalars(select(Subscription.id)).all() == [other]
        found = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    assert [(row.state, row.payload is None) for row in found] == [("discarded", True), ("ready", False)]
    assert [entry.entity for entry in audit_of("DELETED")] == [f"subscription {number}"]


def test_a_record_of_a_subscription_can_be_looked_at_and_corrected(
    support: Person, services: Services, connector_id: int, add: Callable[..., int]
) -> None:
    pairs.configure(services, connector_id, {"subscribe.tags": "News"})
    add("bert@shop.example")
    with services.db.write() as session:
        row = session.scalars(select(Delivery)).one()
        row.state, row.settled_at, row.died_at = "dead", services.clock.now(), services.clock.now()
        number = row.id
    page = f"/connectors/{connector_id}/records/{number}"
    assert "News" in text_of(support.get(f"{page}/compare"))
    form = support.get(f"{page}/edit").text
    assert 'name="email"' in form or "bert@shop.example" in form
    assert "confirmation_url" not in form
    with services.db.write() as session:
        session.get_one(Delivery, number).payload = None
    assert "what it held is no longer kept" in text_of(support.get(f"{page}/compare"))
