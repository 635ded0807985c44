"""The field mapping by the API: read, tried, set, and kept from two who set it at once (P16)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from integration.models import AuditEntry, Connector
from integration.operations.identity import tokens
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from tests.web.known_fields import ROW, known_mautic

Asked = Callable[..., tuple[int, Any]]


@pytest.fixture
def mautic(services: Services, connector_id: int) -> Iterator[MauticServer]:
    with known_mautic(services, connector_id) as server:
        yield server


@pytest.fixture
def ask(app: Flask, services: Services, connector_id: int) -> Asked:
    made = tokens.make(services, 1, "Robot", ["settings"], "admin@example.com")

    def call(method: str, **body: Any) -> tuple[int, Any]:
        answer = app.test_client().open(
            f"/api/v1/connectors/{connector_id}/field-mapping",
            method=method,
            json=body or None,
            headers={"Authorization": f"Bearer {made.secret}"},
        )
        return answer.status_code, answer.json

    return call


@pytest.mark.usefixtures("mautic")
def test_rows_are_tried_set_and_read(
    ask: Asked, services: Services, connector: Callable[[], Connector], audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    assert ask("GET") == (200, {"version": 0, "rows": [], "remarks": []})
    status, tried = ask("PUT", rows=[ROW], dry_run=True)
    assert (status, tried["version"], list(tried["changes"])) == (200, 0, ["order → position"])
    assert services.modules(connector()).mapping.rows == ()
    status, done = ask("PUT", rows=[ROW])
    assert (status, done["version"], done["changes"]) == (200, 1, tried["changes"])
    assert ask("GET")[1]["rows"] == [ROW]
    [entry] = audit_of("UPDATED")
    assert (entry.actor, entry.entity, list(entry.diff)) == (
        "API: Robot",
        "field mapping",
        ["mapping.order → position"],
    )
    assert ask("PUT", rows=[ROW])[1]["changes"] == {}


@pytest.mark.usefixtures("mautic")
def test_what_is_wrong_is_named_by_its_path_and_nothing_is_stored(ask: Asked) -> None:
    status, answer = ask("PUT", rows=[ROW, ROW | {"alias": "", "source": "a..b"}], more=1)
    assert (status, sorted(answer["fields"])) == (422, ["more", "rows.1.alias", "rows.1.source"])
    status, answer = ask("PUT", rows=[ROW | {"alias": "nowhere"}])
    assert (status, list(answer["fields"])) == (422, ["rows.0.alias"])
    assert ask("PUT", dry_run=True)[1]["fields"].keys() == {"rows"}
    assert ask("GET")[1]["version"] == 0


@pytest.mark.usefixtures("mautic")
def test_rows_that_were_made_from_an_older_version_are_refused(ask: Asked) -> None:
    assert ask("PUT", rows=[ROW], version=0)[0] == 200
    status, answer = ask("PUT", rows=[], version=0)
    assert (status, answer["error"], ask("GET")[1]["rows"]) == (409, "version", [ROW])
    assert ask("PUT", rows=[], version=1)[1]["version"] == 2
