"""A dead letter is edited and sent again, and a value that cannot be used is said at its field."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from integration.identity import person_key_of
from integration.models import AuditEntry, Delivery
from integration.pipeline.services import Services
from tests.web.conftest import Person, Settle, text_of
from tests.web.record_ends import REFUSED


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/records"


def test_a_dead_letter_is_edited_and_sent_again(
    support: Person, page: str, services: Services, record: Settle, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    key = record(103, "dead", "bob(at)example.com", **REFUSED)
    assert "bob(at)example.com" in support.get(f"{page}/{key}/edit").text
    same = {"value:billing.email": "bob(at)example.com"}
    assert "No value was changed" in text_of(support.post(f"{page}/{key}/edit", same))
    bad = support.post(f"{page}/{key}/edit", {"value:total": "ten"})
    assert (bad.status_code, "“ten” in total is no amount" in text_of(bad)) == (400, True)
    support.post(f"{page}/{key}/edit", {"value:billing.email": "bob@example.com"})
    with services.db.read() as session:
        row = session.get_one(Delivery, key)
    assert (row.state, row.person_key) == ("ready", person_key_of("bob@example.com"))
    assert row.corrections == {"billing.email": "bob@example.com"}
    assert audit_of("EDITED")[0].diff == {"billing.email": ["bob(at)example.com", "bob@example.com"]}


EMPTY = "The record has no e-mail address. Write the address that the record belongs to."


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("billing.email", " ", EMPTY),
        ("billing.email", "bob\u200b", "“bob” is not an e-mail address. Correct the address in the store."),
        ("billing.email", "[email\u00a0protected]", "A CDN's placeholder stands where the e-mail address should be."),
        ("total", "ten", "“ten” in total is no amount. Correct the value, then send it again."),
        ("billing.city", "x" * 2001, "…” is longer than 2000 characters."),
    ],
)
def test_a_value_that_the_mapping_would_refuse_is_marked_and_kept(
    support: Person, page: str, services: Services, record: Settle, field: str, typed: str, said: str
) -> None:
    key = record(103, "dead", "bob@example.com", **REFUSED)
    with services.db.write() as session:
        row = session.get_one(Delivery, key)
        row.payload = {**row.payload, "billing": {**row.payload["billing"], "city": "Berlin"}, "total": "5.00"}
    answer = support.post(f"{page}/{key}/edit", {"value:billing.email": "bob@example.com", f"value:{field}": typed})
    assert answer.status_code == 400
    assert "Nothing was sent: 1 value cannot be used." in text_of(answer)
    [marked] = re.findall(r'<input id="(value-\d+)" name="value:([^"]+)"\s+value="([^"]*)" aria-invalid', answer.text)
    assert marked[1:] == (field, typed)
    [message] = re.findall(rf'id="{marked[0]}-error">([^<]+)<', answer.text)
    assert said in html.unescape(message)
    with services.db.read() as session:
        assert session.get_one(Delivery, key).state == "dead"


def test_an_address_that_was_refused_is_not_sent_again_with_another_value(
    support: Person, page: str, record: Settle
) -> None:
    key = record(103, "dead", "bob(at)example.com", **REFUSED)
    answer = support.post(f"{page}/{key}/edit", {"value:total": "7.00"})
    assert (answer.status_code, "“bob(at)example.com” is not an e-mail address" in text_of(answer)) == (400, True)
