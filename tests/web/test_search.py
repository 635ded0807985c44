"""Search in the header, and the page of one person or one order (X5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from integration.models import AuditEntry, Run
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.runs import progress as run_progress
from integration.pipeline.services import Services
from tests.pipeline import rows
from tests.web.conftest import Person, Settle, text_of
from tests.web.record_ends import REFUSED


@pytest.fixture
def home(connector_id: int) -> str:
    return f"/connectors/{connector_id}"


@pytest.fixture
def known(services: Services, connector_id: int, record: Settle) -> int:
    """Ada is in Mautic as contact 77; Bob's order was refused. Returns the id of Bob's record."""
    record(10482, result="created", contact_id=77)
    rows.store(services, rows.link(connector_id), rows.entry(connector_id, 10482), rows.log(connector_id, "10482"))
    return record(10483, "dead", "bob@example.com", **REFUSED)


def there(person: Person, typed: str) -> str:
    """Search and return the address that it leads to, "" when a list is shown."""
    answer = person.get(f"/search?q={quote(typed)}")
    assert answer.status_code in (200, 302)
    return answer.headers.get("Location", "")


def test_every_page_has_the_box(viewer: Person, home: str) -> None:
    page = viewer.get(f"{home}/runs").text
    form = re.search(r'<form class="bar-search".*?</form>', page, re.DOTALL)
    assert form is not None
    assert 'method="get" action="/search"' in form[0]
    assert '<label class="sr-only" for="bar-q">' in form[0]
    assert 'name="q"' in form[0]


@pytest.mark.parametrize("typed", ["10482", "#10482", "order 10482", "WC-10482"])
def test_an_order_number_leads_to_its_order(viewer: Person, home: str, known: int, typed: str) -> None:
    assert there(viewer, typed) == f"{home}/orders/10482"


@pytest.mark.parametrize("typed", ["Ada@Example.com", "contact 77"])
def test_an_address_or_a_contact_leads_to_its_person(viewer: Person, home: str, known: int, typed: str) -> None:
    assert there(viewer, typed) == f"{home}/people/{rows.ADA}"


def test_the_page_of_a_person_begins_with_the_verdict(viewer: Person, home: str, known: int) -> None:
    answer = viewer.get(f"{home}/people/{rows.ADA}")
    text = text_of(answer)
    verdict = text.index("This person is in Mautic as contact 77, last written 20 Nov 2026")
    assert verdict < text.index("How the lifetime value was added up") < text.index("Timeline")
    assert "10.00 from 1 order, 10.00 on average." in text
    assert 'href="https://127.0.0.1:9/s/contacts/view/77"' in answer.text
    assert "Order 10482 (completed) came by a webhook." in text
    assert "Order 10482 : create or update." in text


def test_a_failed_order_says_why_and_leads_to_its_record(viewer: Person, home: str, known: int) -> None:
    answer = viewer.get(f"{home}/orders/10483")
    assert "Failed: Order 10483 could not be sent: Mautic refused the e-mail." in text_of(answer)
    assert f'href="{home}/records/{known}"' in answer.text


def test_a_skipped_order_leads_to_the_rule(viewer: Person, home: str, record: Settle) -> None:
    ends = {"error_code": "status_not_synced", "message": "Orders with the status “completed” are not synced."}
    record(7, "skipped", result="skipped", **ends)
    answer = viewer.get(f"{home}/orders/7")
    assert "Skipped: Orders with the status “completed” are not synced." in text_of(answer)
    assert f'<a href="{home}/orders">Order Sync, “Orders with these statuses”: tick the status</a>' in answer.text


def test_plain_digits_that_fit_several_things_are_grouped(
    services: Services, viewer: Person, home: str, connector_id: int, record: Settle
) -> None:
    record(77, result="created", contact_id=5)
    rows.store(services, rows.link(connector_id, 77, rows.BOB))
    answer = viewer.get("/search?q=77")
    text = text_of(answer)
    assert "Several things fit “77”." in text
    assert "Order number (1)" in text and "Contact id (1)" in text
    assert f'href="{home}/orders/77"' in answer.text
    assert f'href="{home}/people/{rows.BOB}"' in answer.text


def test_a_run_is_found_by_its_correlation_id(services: Services, viewer: Person, home: str, connector_id: int) -> None:
    [run] = rows.store(services, rows.run(connector_id))
    assert there(viewer, run.correlation_id) == f"{home}/runs/{run.id}"
    # As lists show it.
    assert there(viewer, run.correlation_id[:8]) == f"{home}/runs/{run.id}"
    assert there(viewer, f" {run.correlation_id[:6].upper()} ") == f"{home}/runs/{run.id}"


def test_correlation_ids_that_begin_alike_are_listed(
    services: Services, viewer: Person, home: str, connector_id: int
) -> None:
    first, second = rows.run(connector_id), rows.run(connector_id)
    first.correlation_id, second.correlation_id = f"abcdef12-{'0' * 27}", f"abcdef12-{'1' * 27}"
    first, second = rows.store(services, first, second)
    answer = viewer.get("/search?q=abcdef12")
    assert "Several things fit “abcdef12”. Choose the one you mean. Correlation id (2)" in text_of(answer)
    assert f"{home}/runs/{first.id}" in answer.text and f"{home}/runs/{second.id}" in answer.text
    assert there(viewer, "ABCDEF12-1") == f"{home}/runs/{second.id}"
    listed = viewer.get(f"{home}/runs?correlation=abcdef12-1")
    assert "1 run found." in text_of(listed) and f"{home}/runs/{second.id}" in listed.text
    assert "no beginning of a correlation id" in text_of(viewer.get(f"{home}/runs?correlation=zz"))


def test_a_record_is_found_by_the_correlation_id_of_its_attempt(
    services: Services, viewer: Person, home: str, connector_id: int
) -> None:
    [row] = rows.store(services, rows.delivery(connector_id, "5"))
    rows.store(services, rows.attempt(row, 1, correlation_id="0a1b2c00ff-3"))
    assert there(viewer, "0a1b2c00") == f"{home}/records/{row.id}"


def test_what_was_never_seen_says_how_to_fetch_it(support: Person, viewer: Person, home: str) -> None:
    page = f"{home}/orders/99"
    assert there(support, "99") == page
    assert "Unknown: this order was never seen" in text_of(support.get(page))
    assert "Read this order from the store now" in support.get(page).text
    assert "Read this order from the store now" not in viewer.get(page).text
    stranger_to_the_shop = there(viewer, "nobody@example.com")
    assert "Unknown: this person was never seen" in text_of(viewer.get(stranger_to_the_shop))


def test_reading_an_order_starts_a_run_for_it_alone(
    services: Services, support: Person, home: str, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    answer = support.post(f"{home}/orders/99/read", follow_redirects=True)
    assert "Order 99 is being read from the store" in text_of(answer)
    with services.db.read() as session:
        [run] = session.scalars(select(Run))
    assert (run.kind, run.options) == ("bulk", {"ids": [99], "only": ["orders"]})
    assert audit_of("SYNC_TRIGGERED")[0].diff == {"order": [None, "99"]}
    again = support.post(f"{home}/orders/99/read", follow_redirects=True)
    assert "A run of this connector is going already." in text_of(again)


def test_a_name_that_is_no_id_is_not_read(services: Services, support: Person, home: str) -> None:
    answer = support.post(f"{home}/orders/WC-9/read", follow_redirects=True)
    assert "Only an order with a number as its id" in text_of(answer)
    with services.db.read() as session:
        assert run_progress.latest(session, 1) is None


def test_a_viewer_may_not_read_from_the_store(viewer: Person, home: str) -> None:
    assert viewer.post(f"{home}/orders/99/read").status_code == 403


def test_a_stranger_finds_and_sees_nothing(
    services: Services, stranger: Person, home: str, connector_id: int, known: int
) -> None:
    pairs.create(services, organisation_id=2, name="Other")
    pairs.create(services, organisation_id=2, name="Third")
    [run] = rows.store(services, rows.run(connector_id))
    for typed in ("10482", "ada@example.com", "contact 77", "order 10482", run.correlation_id, f"run {run.id}"):
        answer = stranger.get(f"/search?q={quote(typed)}")
        assert answer.status_code == 200
        assert "Nothing fits" in text_of(answer)
        assert home not in answer.text
    for page in (f"{home}/orders/10482", f"{home}/people/{rows.ADA}"):
        assert stranger.get(page).status_code == 404
    assert stranger.post(f"{home}/orders/10482/read").status_code == 404


def test_one_person_in_two_shops_is_listed_with_both(
    services: Services, viewer: Person, super_admin: Person, connector_id: int, known: int
) -> None:
    other = pairs.create(services, organisation_id=2, name="Other")
    rows.store(services, rows.link(other, 5))
    assert there(viewer, "ada@example.com")
    text = text_of(super_admin.get("/search?q=ada@example.com"))
    assert "Sunflower contact 77" in text
    assert "Other contact 5" in text


def test_several_connectors_are_offered_for_an_order_that_nobody_knows(
    services: Services, viewer: Person, home: str
) -> None:
    pairs.create(services, organisation_id=1, name="Other")
    answer = viewer.get("/search?q=424242")
    assert "Nothing fits “424242”." in text_of(answer)
    assert f'href="{home}/orders/424242"' in answer.text


@pytest.mark.parametrize(
    "typed", ["", "%00", "%ED%A0%80", "x" * 5000, "'", "<script>", "contact 99999999999999999999999", "²", "@", "run x"]
)
def test_no_search_is_an_error(viewer: Person, known: int, typed: str) -> None:
    answer = viewer.get(f"/search?q={typed}", follow_redirects=True)
    assert answer.status_code == 200
    assert "<script>" not in answer.text.split("<main")[1]


@pytest.mark.parametrize("name", ["people/nobody", "people/%20", "orders/%C2%B2", "orders/" + "9" * 90, "orders/a'b"])
def test_no_address_of_a_person_or_order_is_an_error(viewer: Person, home: str, name: str) -> None:
    assert "Unknown: " in text_of(viewer.get(f"{home}/{name}"))


def test_a_long_timeline_has_older_pages(services: Services, viewer: Person, home: str, connector_id: int) -> None:
    rows.store(services, *(rows.log(connector_id, str(n), n) for n in range(60)))
    answer = viewer.get(f"{home}/people/{rows.ADA}")
    assert "Order 59 : create or update." in text_of(answer)
    assert "Order 9 : create or update." not in text_of(answer)
    older = re.search(r'rel="next" href="([^"]+)"', answer.text)
    assert older is not None
    text = text_of(viewer.get(older[1]))
    assert "Order 9 : create or update." in text
    assert "Order 10 : create or update." not in text
    assert "Newest entries" in text


def test_a_place_that_makes_no_sense_is_said(viewer: Person, home: str, known: int) -> None:
    text = text_of(viewer.get(f"{home}/people/{rows.ADA}?older=nonsense"))
    assert "The place in the address was not understood" in text
    assert "Order 10482 (completed)" in text


def test_a_visitor_signs_in_first(visitor: Person, home: str) -> None:
    for page in ("/search?q=1", f"{home}/orders/1", f"{home}/people/{rows.ADA}"):
        answer = visitor.get(page)
        assert answer.status_code == 302
        assert "/sign-in" in answer.headers["Location"]


def test_the_record_page_leads_to_everything_about_its_person(viewer: Person, home: str, known: int) -> None:
    answer: Any = viewer.get(f"{home}/records/{known}")
    assert f'href="{home}/people/{rows.BOB}"' in answer.text


def test_a_person_with_orders_in_two_currencies_has_no_sum_while_the_shops_is_not_known(
    viewer: Person, services: Services, home: str, connector_id: int, known: int
) -> None:
    rows.store(services, rows.entry(connector_id, 10484, currency="JPY", net_total="6100.00"))
    text = text_of(viewer.get(f"{home}/people/{rows.ADA}"))
    assert "left out until the shop's currency is known: the paid orders are in EUR, JPY" in text
    assert "6100 JPY" in text and "on average" not in text and "6,110" not in text and "6110" not in text
