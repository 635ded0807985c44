"""Consent and Consents below Contact Sync: settings, keys in the shop, the ledger, and its export as evidence."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from integration.identity import person_key_of
from integration.mapping.consent import Consent
from integration.models import AuditEntry, Connector
from integration.models.consent import ConsentEntry
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.consents import ledger
from integration.pipeline.consents.unsubscribes import CURSOR
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from integration.settings import Modules
from integration.web.modules.consents import FORM
from tests.web.conftest import Person, text_of

KEY = "newsletter_consent"


@pytest.fixture
def url(connector_id: int) -> str:
    return f"/connectors/{connector_id}/consents"


@pytest.fixture
def add(services: Services, connector_id: int) -> Callable[..., None]:
    """Adds an entry of the ledger, a minute after the one before."""
    minutes = iter(range(1000))

    def made(email: str = "anna@shop.example", state: str = "given", **values: Any) -> None:
        now = services.clock.now()
        usual = {"source": "customer", "ref": "7", "key": KEY, "value": "1", "wording": "Yes, news."}
        said = Consent(state, at=now + timedelta(minutes=next(minutes)), email=email, **{**usual, **values})
        with services.db.write() as session:
            ledger.add(session, now, connector_id, [(person_key_of(email), said)])

    return made


def typed(**changes: str) -> dict[str, str]:
    stored = {"customer_field": KEY, "yes_values": "1, ja", "without": "skip", "write_field": "_mautic_unsubscribed"}
    return {f"consent.{name}": value for name, value in {**stored, "read_back": "1", **changes}.items()}


def test_every_setting_is_on_the_page_below_contact_sync(viewer: Person, url: str, connector_id: int) -> None:
    page = viewer.get(url)
    names = set(Modules().consent.model_dump())
    with viewer.client.application.test_request_context():
        assert {name for name in FORM()._fields if name != "csrf_token"} == {f"consent.{name}" for name in names}
    assert all(f'name="consent.{name}"' in page.text for name in names)
    assert 'aria-current="page">Contact Sync' in page.text
    assert "Consents" in text_of(viewer.get(f"/connectors/{connector_id}/contacts"))
    assert "Consent is not asked for." in text_of(viewer.get(f"{url}/list"))


def test_settings_are_saved_audited_and_wrong_ones_come_back_at_their_field(
    admin: Person,
    url: str,
    services: Services,
    connector: Callable[[], Connector],
    audit_of: Callable[[str], list[AuditEntry]],
) -> None:
    for wrong, said in (
        ({"enabled": "1", "customer_field": ""}, "Without a key nobody could consent"),
        ({"enabled": "1", "yes_values": ""}, "Without a value nothing would mean yes."),
        ({"customer_field": "two words"}, "This is not the key of a meta field."),
        ({"write_back": "1", "write_field": ""}, "Without a key nothing can be written."),
        ({"write_back": "1", "write_field": KEY}, "would overwrite what the customer chose"),
        ({"without": "all"}, "People without consent"),
    ):
        answer = admin.post(url, typed(**wrong))
        assert answer.status_code == 400, wrong
        assert said in text_of(answer), wrong
    assert "The settings were saved." in text_of(admin.post(url, typed(enabled="1"), follow_redirects=True))
    module = services.modules(connector()).consent
    assert (module.enabled, module.customer_field, module.yes_values) == (True, KEY, ("1", "ja"))
    assert audit_of("UPDATED")[-1].diff["consent.customer_field"] == ["", KEY]


def test_the_page_says_whether_the_shop_has_the_keys(
    viewer: Person, url: str, services: Services, connector_id: int
) -> None:
    with StoreServer() as store:
        for number, value in enumerate(("1", "0", None)):
            more = {} if value is None else {"meta_data": [{"key": KEY, "value": value}]}
            store.shop.register_customer(email=f"p{number}@shop.example", **more)
        store.shop.place_order(billing={"email": "guest@shop.example"})
        secret = {"store_key": store.credentials.key, "store_secret": store.credentials.secret}
        pairs.connect(services, connector_id, store_url=store.url, **secret)
        settings = {"consent.enabled": True, "consent.customer_field": KEY, "consent.order_field": "no_such_key"}
        pairs.configure(services, connector_id, settings)
        said = text_of(viewer.get(f"{url}/keys"))
    assert f"“{KEY}” was seen in 2 of the last 3 customers, 1 of them with a yes." in said
    assert "“no_such_key” was not seen in the only order." in said
    assert "could not be looked for in the shop" in text_of(viewer.get(f"{url}/keys"))


def test_a_mautic_that_does_not_let_us_read_is_said(
    viewer: Person, url: str, services: Services, connector_id: int
) -> None:
    pairs.configure(services, connector_id, {"consent.enabled": True, "consent.customer_field": KEY})
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.cursors = {**row.cursors, CURSOR: {"problem": "The role lacks a right."}}
    assert "cannot be read from Mautic: The role lacks a right." in text_of(viewer.get(url))


def test_the_ledger_is_shown_filtered_and_exported(
    viewer: Person, support: Person, url: str, add: Callable[..., None]
) -> None:
    add()
    add(state="withdrawn", value="0", wording="")
    add("otto@shop.example", source="form", key="", wording="=cmd()", value="https://shop.example, 192.0.2.7")
    add("otto@shop.example", "unsubscribed", source="mautic", key="email", wording="", value="clicked")
    page = viewer.get(f"{url}/list")
    for part in ("4 entries found", "Consent withdrawn", "Subscribe form 7", "“Yes, news.”", "clicked"):
        assert part in text_of(page)
    assert "Evidence" not in text_of(page)
    assert viewer.get(f"{url}/consents.csv").status_code == 403
    mine = support.get(f"{url}/list?email=ANNA@shop.example")
    assert "2 entries found" in text_of(mine)
    assert "consents.csv?email=ANNA" in mine.text
    rows = list(csv.DictReader(io.StringIO(support.get(f"{url}/consents.csv?email=anna@shop.example").text[1:])))
    assert [(row["state"], row["key"], row["wording"]) for row in rows] == [
        ("withdrawn", KEY, ""),
        ("given", KEY, "Yes, news."),
    ]
    assert rows[1]["version"] == ledger.version_of("Yes, news.")
    every = [json.loads(line) for line in support.get(f"{url}/consents.jsonl").text.splitlines()]
    assert len(every) == 4
    assert every[1]["wording"] == "=cmd()"
    assert "'=cmd()" in support.get(f"{url}/consents.csv").text
    assert support.get(f"{url}/consents.csv?state=odd").status_code == 400
    assert "No consent fits this filter." in text_of(viewer.get(f"{url}/list?email=nobody@shop.example"))


def test_the_persons_page_tells_it(viewer: Person, connector_id: int, add: Callable[..., None]) -> None:
    add()
    add(state="unsubscribed", source="mautic", ref="12", key="email", wording="", value="clicked")
    person = text_of(viewer.get(f"/connectors/{connector_id}/people/{person_key_of('anna@shop.example')}"))
    assert "The person unsubscribed in Mautic" in person
    assert f"Customer account 7, {KEY}" in person
    assert "to be exported as evidence" in person


def test_where_an_unsubscribe_was_written_is_said_in_words(
    viewer: Person, url: str, connector_id: int, services: Services, add: Callable[..., None]
) -> None:
    add(state="unsubscribed", source="mautic", ref="12", key="email", wording="", value="clicked")
    person = f"/connectors/{connector_id}/people/{person_key_of('anna@shop.example')}"
    for kept, said in (("waiting", "is written into the store next"), ("written", "is in the store")):
        with services.db.write() as session:
            session.execute(update(ConsentEntry).values(write_back=kept))
        assert all(f"clicked This {said}." in text_of(viewer.get(page)) for page in (f"{url}/list", person))
