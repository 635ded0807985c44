"""A store that may be a copy: said on every page, answered on the Connection tab."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from integration.models import Connector
from integration.models.connector import ConnectorState
from integration.pipeline.connectors import connectors as pairs, fingerprint
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of
from tests.web.signed_hooks import ORDER, SECRET, sign, waiting

Read = Callable[[], Connector]


@pytest.fixture
def in_doubt(services: Services, connector_id: int) -> int:
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.fingerprint = {"home": "https://shop.example", "installation": "https://old.example"}
        fingerprint.look_at_installation(session, services.clock.now(), row, "https://new.example")
    return connector_id


def test_every_page_says_it_and_only_an_administrator_answers(
    admin: Person, support: Person, in_doubt: int, connector: Read, audit_of: Callable
) -> None:
    page = text_of(support.get(f"/connectors/{in_doubt}/runs"))
    assert "The connector is read-only: It was worked for at https://old.example" in page
    assert "Only administrators answer this." in text_of(support.get(f"/connectors/{in_doubt}/connection"))
    asked = text_of(admin.get(f"/connectors/{in_doubt}/connection"))
    assert "Is it the same store?" in asked and "It is a copy: keep it paused" in asked
    url = f"/connectors/{in_doubt}/store-changed"
    assert support.post(url, {"answer": "same"}).status_code == 403
    assert admin.post(url, {"answer": "perhaps"}).status_code == 404
    assert connector().state == ConnectorState.READ_ONLY
    said = text_of(admin.post(url, {"answer": "copy"}, follow_redirects=True))
    assert "It is a copy: nothing is sent" in said and fingerprint.COPY in said
    assert "It is a copy: keep it paused" not in said
    assert "What waits is sent now" in text_of(admin.post(url, {"answer": "same"}, follow_redirects=True))
    assert connector().state == ConnectorState.ACTIVE
    assert "nobody waits" in text_of(admin.post(url, {"answer": "same"}, follow_redirects=True))
    [same, copy] = audit_of("STORE_CONFIRMED")
    assert {same.entity.split()[0], copy.entity.split()[0]} == {"same", "copy"}


def test_the_overview_calls_it_read_only_and_offers_no_resume(admin: Person, in_doubt: int, connector: Read) -> None:
    page = admin.get(f"/connectors/{in_doubt}/").text
    assert "Read-only" in page and "Pause …" not in page and "/resume" not in page
    admin.post(f"/connectors/{in_doubt}/resume")
    assert connector().state == ConnectorState.READ_ONLY


def test_a_run_that_would_send_is_not_begun_and_the_page_says_why(support: Person, in_doubt: int) -> None:
    begun = support.post(f"/connectors/{in_doubt}/run", {"kind": "full"}, follow_redirects=True)
    assert "The connector is read-only. It was worked for at https://old.example" in text_of(begun)
    assert fingerprint.HINT in text_of(begun) and "Full sync: started" not in text_of(begun)
    page = f"/connectors/{in_doubt}/runs"
    options = {"kind": "bulk", "only": ["orders"]}
    assert "The connector is read-only. It was" in text_of(support.post(f"{page}/new", options, follow_redirects=True))
    assert "There was no run yet." in text_of(support.get(page))


@pytest.mark.parametrize(("source", "taken"), [("http://www.shop.example/", 1), ("https://copy.example/", 0)])
def test_webhooks_of_a_copy_are_left_out_and_the_store_is_asked_where_it_is(
    visitor: Person, services: Services, connector_id: int, connector: Read, source: str, taken: int
) -> None:
    pairs.connect(services, connector_id, webhook_secret=SECRET)
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.fingerprint, row.store_facts = {"home": "https://shop.example"}, {"at": "2026-11-20T11:00:00+00:00"}
    body = json.dumps(ORDER).encode()
    headers = sign(body) | {"X-WC-Webhook-Source": source}
    assert visitor.client.post(f"/hooks/{connector().webhook_path}", data=body, headers=headers).status_code == 200
    assert waiting(services) == taken
    assert bool(connector().store_facts["at"]) is bool(taken)
