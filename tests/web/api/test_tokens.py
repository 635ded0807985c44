"""The API's tokens: their scopes and their end; whoever guesses one or calls too often is throttled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from integration.clock import SetClock
from integration.models import ApiToken
from integration.operations.identity import tokens
from integration.pipeline.services import Services
from tests.web.api.conftest import Ask


def test_without_a_good_token_there_is_an_answer_in_json(client: FlaskClient, services: Services, bearer: Ask) -> None:
    for headers in ({}, {"Authorization": "Bearer wm_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = client.get("/api/v1/connectors", headers=headers)
        assert (answer.status_code, answer.json["error"]) == (401, "token")
    good = bearer("runs")
    answer = client.get("/api/v1/connectors", headers=good)
    assert (answer.status_code, answer.json["error"]) == (403, "scope")


def test_revoked_and_expired_tokens_are_refused(
    client: FlaskClient, services: Services, bearer: Ask, clock: SetClock
) -> None:
    made = tokens.make(services, 1, "Short", ["logs"], "me", days=1)
    headers = {"Authorization": f"Bearer {made.secret}"}
    assert client.get("/api/v1/connectors", headers=headers).status_code == 200
    clock.advance(hours=25)
    assert client.get("/api/v1/connectors", headers=headers).status_code == 401
    headers = bearer("logs")
    with services.db.write() as session:
        for row in session.query(ApiToken):
            assert row.token_hash not in str(headers)
            tokens.revoke(session, row, clock.now())
    assert client.get("/api/v1/connectors", headers=headers).status_code == 401


def test_whoever_calls_too_often_leaves_no_token_in_the_log(
    app: Flask, make_app: Callable[..., Flask], bearer: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    headers = bearer()
    client = make_app(ratelimit=True).test_client()
    caplog.set_level("DEBUG", logger="flask-limiter")
    answers = [client.get("/api/v1/connectors", headers=headers).status_code for _ in range(602)]
    assert answers[-1] == 429
    assert "exceeded" in caplog.text
    assert headers["Authorization"].split()[1][:12] not in caplog.text


def test_guessing_tokens_is_throttled_by_address(
    app: Flask, make_app: Callable[..., Flask], bearer: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app(ratelimit=True, proxies=1).test_client()
    paths = ("/api/v1/connectors", "/metrics", "/api/v1/connectors/1/log")

    def ask(number: int, address: str, headers: dict[str, str]) -> int:
        return client.get(paths[number % 3], headers={**headers, "X-Forwarded-For": address}).status_code

    guesses = [ask(number, "198.51.100.1", {"Authorization": f"Bearer wm_guess{number}"}) for number in range(31)]
    assert guesses == [401] * 30 + [429]
    assert ask(0, "203.0.113.5", bearer()) == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_guessing_webhook_addresses_is_throttled(app: Flask, make_app: Callable[..., Flask]) -> None:
    client = make_app(ratelimit=True).test_client()
    statuses = [client.post(f"/hooks/guess{number}").status_code for number in range(61)]
    assert statuses == [404] * 60 + [429]
