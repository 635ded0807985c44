"""Webhooks: signed on the raw bytes, answered with a status and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from integration import heap
from integration.models import Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.web.frame.incoming import LARGE_BODY
from tests.web.conftest import Person
from tests.web.signed_hooks import ORDER, SECRET, sign, waiting


@pytest.fixture
def path(services: Services, connector_id: int, connector: Callable[[], Connector]) -> str:
    pairs.connect(services, connector_id, webhook_secret=SECRET)
    return f"/hooks/{connector().webhook_path}"


def test_a_signed_order_becomes_a_delivery(
    visitor: Person, path: str, services: Services, connector: Callable[[], Connector]
) -> None:
    body = json.dumps(ORDER).encode()
    answer = visitor.client.post(path, data=body, headers=sign(body))
    assert (answer.status_code, answer.data) == (200, b"")
    assert waiting(services) == 1
    assert connector().last_webhook_at == services.clock.now()


def test_the_ping_is_answered(visitor: Person, path: str, services: Services) -> None:
    answer = visitor.client.post(path, data={"webhook_id": "12"})
    assert (answer.status_code, answer.data) == (200, b"")
    assert waiting(services) == 0


@pytest.mark.parametrize("headers", [{}, sign(b"another body"), sign(json.dumps(ORDER).encode(), "another secret")])
def test_forged_and_unsigned_ones_are_refused(
    visitor: Person, path: str, services: Services, headers: dict[str, str]
) -> None:
    answer = visitor.client.post(path, data=json.dumps(ORDER).encode(), headers=headers)
    assert (answer.status_code, answer.data) == (401, b"")
    assert waiting(services) == 0


def test_an_unknown_address_is_not_found(visitor: Person, path: str) -> None:
    body = json.dumps(ORDER).encode()
    answer = visitor.client.post("/hooks/nobody-knows-this", data=body, headers=sign(body))
    assert (answer.status_code, answer.data) == (404, b"")


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b"", b"{", b"[" * 100_000, b'{"id":"x"}'], ids=lambda body: repr(body[:9])
)
def test_a_signed_body_without_a_record_is_taken_and_logged(
    visitor: Person, path: str, services: Services, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(7):
        answer = visitor.client.post(path, data=body, headers=sign(body) | {"X-WC-Webhook-Delivery-ID": "abc\u00b2"})
        assert (answer.status_code, answer.data) == (200, b"")
    assert waiting(services) == 0
    said = [record.getMessage() for record in caplog.records if "was ignored" in record.getMessage()]
    assert len(said) == 7
    assert "(topic order.updated, delivery abc" in said[0] and said[0].endswith("no record with an id.")


@pytest.mark.parametrize("body", [b'{"id":"11"}', b'{"id":11.0}', b'{"id":11}'])
def test_a_signed_body_with_an_id_alone_is_owed(visitor: Person, path: str, services: Services, body: bytes) -> None:
    for _ in range(2):
        assert visitor.client.post(path, data=body, headers=sign(body)).status_code == 200
    assert waiting(services) == 1


def test_an_odd_ping_is_refused_like_anything_unsigned(visitor: Person, path: str) -> None:
    assert visitor.client.post(path, data={"webhook_id": "\u00b2"}).status_code == 401


@pytest.mark.parametrize("announced", [True, False])
def test_oversized_ones_are_refused(visitor: Person, path: str, announced: bool) -> None:
    import io

    body = b"x" * (5 * 1024 * 1024 + 1)
    if announced:
        answer = visitor.client.post(path, data=body, headers=sign(body))
    else:
        environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        answer = visitor.client.post(path, input_stream=io.BytesIO(body), headers=sign(body), environ_overrides=environ)
    assert (answer.status_code, answer.data) == (413, b"")


def test_a_body_of_the_largest_size_is_looked_at(visitor: Person, path: str) -> None:
    body = b" " * (5 * 1024 * 1024)
    assert visitor.client.post(path, data=body, headers=sign(body, "wrong")).status_code == 401


@pytest.mark.parametrize(("size", "times"), [(LARGE_BODY, 0), (LARGE_BODY + 1, 1)])
def test_what_a_large_body_took_is_given_back(
    visitor: Person, path: str, monkeypatch: pytest.MonkeyPatch, size: int, times: int
) -> None:
    given: list[bool] = []
    monkeypatch.setattr(heap, "give_back", lambda: given.append(True))
    assert visitor.client.post(path, data=b" " * size, headers=sign(b"", "wrong")).status_code == 401
    assert len(given) == times


def test_looking_at_the_address_shows_nothing(visitor: Person, path: str) -> None:
    assert visitor.get(path).status_code == 405
