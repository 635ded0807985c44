"""Records, log and dead letters by the API, and sending again."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from integration.models import Delivery
from integration.pipeline.services import Services
from tests.web.api.conftest import Ask
from tests.web.conftest import Settle


def test_records_log_and_dead_letters_are_read_and_sent_again(
    client: FlaskClient, services: Services, connector_id: int, bearer: Ask, record: Settle
) -> None:
    headers = bearer()
    key = record(7, "dead", error_code="refused", message="No.", category="permanent")
    base = f"/api/v1/connectors/{connector_id}"
    found = client.get(f"{base}/records?status=failed", headers=headers).json
    assert [row["source_id"] for row in found["records"]] == ["7"]
    assert found["notices"] == []
    assert client.get(f"{base}/log", headers=headers).json["entries"] == []
    assert client.get(f"{base}/dead-letters", headers=headers).json["dead_letters"][0]["category"] == "permanent"
    assert client.post(f"{base}/replay", json={"ids": "all"}, headers=headers).status_code == 422
    came = client.post(f"{base}/replay", json={"ids": [key, 999]}, headers=headers)
    assert came.json == {"queued": 1, "busy": 0, "gone": 1}
    with services.db.read() as session:
        assert session.get_one(Delivery, key).state == "ready"


@pytest.mark.parametrize(
    ("ids", "said"),
    [("602", "list of numbers"), (5, "list of numbers"), ([2**63], "is no id"), ([], "not empty"), ([0] * 501, "500")],
)
def test_replay_says_what_is_wrong_with_ids(
    client: FlaskClient, connector_id: int, bearer: Ask, ids: Any, said: str
) -> None:
    answer = client.post(f"/api/v1/connectors/{connector_id}/replay", json={"ids": ids}, headers=bearer())
    assert answer.status_code == 422
    assert said in answer.json["fields"]["ids"]
