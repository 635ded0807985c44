"""The disk is full: who writes is told to come again, who reads sees his page with a banner, and nothing is lost."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from integration.models import Connector, migrate
from integration.models.disk_faults import FULL
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.full_disk import FullDisk, ask_every
from tests.web.conftest import PASSWORD, Person, text_of
from tests.web.signed_hooks import ORDER, SECRET, sign, waiting


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_every(monkeypatch, 0)


@pytest.fixture
def disk(services: Services, connector_id: int) -> FullDisk:
    return FullDisk(services.db)


@pytest.fixture
def hook(services: Services, connector_id: int, connector: Callable[[], Connector]) -> str:
    pairs.connect(services, connector_id, webhook_secret=SECRET)
    return f"/hooks/{connector().webhook_path}"


def test_a_webhook_is_refused_without_words_and_taken_when_there_is_room(
    visitor: Person, services: Services, hook: str, disk: FullDisk
) -> None:
    def send(number: int) -> TestResponse:
        body = json.dumps(ORDER | {"id": number}).encode()
        return visitor.client.post(hook, data=body, headers=sign(body))

    disk.fill()
    answers = map(send, range(1, 100))
    taken, answer = next((n, answer) for n, answer in enumerate(answers) if answer.status_code != 200)
    assert (answer.status_code, answer.data, answer.headers["Retry-After"]) == (503, b"", "60")
    assert waiting(services) == taken
    disk.make_room()
    assert send(taken + 1).status_code == 200
    assert waiting(services) == taken + 1


def until_refused(act: Callable[[], TestResponse]) -> TestResponse:
    """Do something until what it writes needs another page of the database, and return the answer to that."""
    answers = (act() for _ in range(100))
    return next(answer for answer in answers if answer.status_code != 302)


def test_people_are_told_the_truth(app: Flask, admin: Person, disk: FullDisk) -> None:
    group = {"name": "Night shift", "emails": "\n".join(f"somebody-{n}@example.com" for n in range(9)), "webhook": ""}
    credentials = {"email": "admin@example.com", "password": PASSWORD}
    admin.token()
    disk.fill()
    acts = (
        lambda: admin.post("/alerts/groups", group),
        lambda: Person(app.test_client()).post("/sign-in", credentials),
    )
    for act in acts:
        page = until_refused(act)
        assert (page.status_code, page.headers["Retry-After"]) == (503, "60")
        assert f"{FULL.sentence} {FULL.hint}" in text_of(page)


def test_pages_go_on_with_a_banner(viewer: Person, disk: FullDisk) -> None:
    assert FULL.sentence not in text_of(viewer.get("/connectors/1/"))
    disk.fill()
    for path in ("/connectors/1/", "/connectors/1/runs", "/connectors/1/records"):
        page = viewer.get(path)
        assert (page.status_code, text_of(page).count(FULL.sentence)) == (200, 1)
    disk.make_room()
    assert FULL.sentence not in text_of(viewer.get("/connectors/1/"))


def test_ready_means_that_it_can_write(visitor: Person, disk: FullDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "is_newest", lambda session: True)
    assert visitor.get("/readyz").status_code == 200
    disk.fill()
    answer = visitor.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": FULL.sentence})
    assert visitor.get("/healthz").status_code == 200
    disk.make_room()
    assert visitor.get("/readyz").status_code == 200

    def refuse(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert visitor.get("/readyz").status_code == 503


def test_a_file_that_the_disk_refuses_is_no_error_of_ours(app: Flask, visitor: Person) -> None:
    def full() -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    def missing() -> str:
        raise FileNotFoundError(errno.ENOENT, "No such file")

    for view in (full, missing):
        view.open_to_all = True  # type: ignore[attr-defined]  # as access.public does
        app.add_url_rule(f"/{view.__name__}", view_func=view)
        app.add_url_rule(f"/api/v1/{view.__name__}", view_func=view)
    assert FULL.sentence in text_of(visitor.get("/full"))
    assert (visitor.get("/full").status_code, visitor.get("/missing").status_code) == (503, 500)
    answer = visitor.get("/api/v1/full")
    told = {"error": "disk_full", "sentence": FULL.sentence, "hint": FULL.hint, "fields": {}}
    assert (answer.status_code, answer.json, answer.headers["Retry-After"]) == (503, told, "60")
    assert visitor.get("/api/v1/missing").json["error"] == "internal_server_error"


def test_a_disk_that_is_nearly_full_is_said_ahead_of_time(viewer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(total=10**12, free=10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert "Less than 500 MB of the disk are free." in text_of(viewer.get("/password"))
    usage.free = 10**9
    assert "of the disk are free" not in text_of(viewer.get("/password"))
