"""Requests that no browser sends: ids beyond any database, odd texts, broken bodies; none is an error of ours."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from gunicorn.http.errors import InvalidChunkSize
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import Rule

from app import create_app
from integration.config import Deployment
from integration.pipeline.services import Services
from integration.web.frame import fault_log
from tests.web.conftest import Person

BEYOND = (2**63, 10**18, 10**30)
ODD = ("²", "٣", "-1", "0x1", "1" * 5000, "\ufffd\u202e", "%", "';--", "[]", "{}", "é" * 300)


def paths(app: Flask, number: int) -> Iterator[tuple[Rule, str]]:
    """All routes with an id in them, each with its address where the last id is `number` and others are 1."""
    for rule in app.url_map.iter_rules():
        before, id_, after = rule.rule.rpartition("<int:")
        if id_:
            end = re.sub(r"<[^<>]+>", "csv", after.partition(">")[2])
            yield rule, f"{re.sub('<int:[^<>]+>', '1', before)}{number}{end}"


@pytest.mark.parametrize("number", BEYOND)
def test_an_id_beyond_any_database_is_not_found_anywhere(app: Flask, super_admin: Person, number: int) -> None:
    seen = 0
    for rule, path in paths(app, number):
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            answer = super_admin.get(path) if method == "GET" else super_admin.post(path)
            assert answer.status_code == 404, f"{method} {path}"
            assert answer.is_json == path.startswith("/api/")
            seen += 1
    assert seen >= 90


def test_an_id_that_is_not_there_breaks_nothing(app: Flask, super_admin: Person, connector_id: int) -> None:
    for rule, path in paths(app, 987654321):
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            data = {"name": "A name", "email": "new@example.com", "role": "viewer", "id": "987654321"}
            answer = super_admin.get(path) if method == "GET" else super_admin.post(path, data)
            assert answer.status_code < 500, f"{method} {path}"


def test_odd_values_in_the_query_break_no_page(app: Flask, super_admin: Person, connector_id: int) -> None:
    names = ("connector", "page", "before", "after", "run", "id", "limit", "from", "status", "q", "type", "sort")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or set(rule.arguments) - {"connector_id"}:
            continue
        path = rule.rule.replace("<int:connector_id>", str(connector_id))
        for value in ODD:
            answer = super_admin.get(path, query_string=dict.fromkeys(names, value))
            assert answer.status_code < 500 or path == "/readyz", f"{path} with {value[:20]}"


@pytest.mark.parametrize("value", ["²", "٣", "9" * 30])
def test_a_connector_that_is_no_number_is_left_out(super_admin: Person, connector_id: int, value: str) -> None:
    assert super_admin.get(f"/connectors/{connector_id}/records", query_string={"connector": value}).status_code == 200


@pytest.mark.parametrize("path", ["/hooks/a%00b", "/sign-in/link/%00", "/connectors/1%00/runs", "/api/v1/%00"])
def test_a_nul_in_an_address_is_refused(visitor: Person, path: str) -> None:
    for answer in (visitor.get(path), visitor.post(path)):
        assert answer.status_code == 400
        assert answer.is_json == path.startswith("/api/")


def test_a_nul_in_a_form_is_refused(admin: Person) -> None:
    for path in ("/tokens", "/connectors/new", "/users/invite"):
        assert admin.post(path, {"name": "a\0b", "email": "a\0@example.com", "role": "viewer"}).status_code == 400
    files = {"name": "a\0b", "csrf_token": admin.token()}
    assert admin.client.post("/tokens", data=files, content_type="multipart/form-data").status_code == 400


def test_a_nul_in_a_hook_is_left_to_the_signature(visitor: Person) -> None:
    answer = visitor.client.post("/hooks/nobody", data=b"a=\0", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 404


class BrokenChunks:
    """A body as the server gives it, with a chunk that has no size."""

    def read(self, size: int = -1) -> bytes:
        raise InvalidChunkSize(b"ZZ")


@pytest.mark.parametrize("path", ["/hooks/nobody", "/sign-in", "/api/v1/connectors/1/replay"])
def test_a_broken_chunk_is_refused(app: Flask, path: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    environ = {"wsgi.input_terminated": True, "wsgi.input": BrokenChunks(), "HTTP_TRANSFER_ENCODING": "chunked"}
    kind = "application/x-www-form-urlencoded"
    assert app.test_client().post(path, content_type=kind, environ_overrides=environ).status_code == 400


@pytest.mark.parametrize("address", ["http://[::1", "http://[", "https://a]b", "http://x:99999"])
@pytest.mark.parametrize("act", ["", "/test"])
def test_a_broken_address_is_said_at_its_field(admin: Person, connector_id: int, address: str, act: str) -> None:
    form = {"name": "Sunflower", "store_url": address, "mautic_url": "https://127.0.0.1:9"}
    answer = admin.post(f"/connectors/{connector_id}/connection{act}", form)
    assert answer.status_code == 400
    assert "is not a web address" in answer.text


def test_a_path_longer_than_any_file_is_said_at_its_field(admin: Person, connector_id: int) -> None:
    for path in ("/x" * 2500, "x" * 400):
        form = {"name": "Sunflower", "store_url": "https://127.0.0.1:9", "mautic_url": "", "store_ca": path}
        answer = admin.post(f"/connectors/{connector_id}/connection", form)
        assert answer.status_code == 400


def test_what_breaks_is_one_line_and_one_traceback(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    def broken(secret: str) -> str:
        raise ValueError("of the program itself")

    broken.open_to_all = True  # type: ignore[attr-defined]  # as access.public does
    app.add_url_rule("/broken/<secret>", view_func=broken)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            answer = app.test_client().get("/broken/abcdefgh?token=abc")
            assert answer.status_code == 500
            assert "of the program itself" not in answer.text
    assert [bool(each.exc_info) for each in caplog.records] == [True, False, False, False, False]
    assert {each.name for each in caplog.records} == {fault_log.__name__}
    assert "abcdefgh" not in "".join(each.getMessage() for each in caplog.records)


def test_an_error_of_the_database_hides_the_values(deployment: Deployment, services: Services) -> None:
    made = create_app(deployment).extensions["services"]
    for database in (services.db, made.db):
        with database.read() as session, pytest.raises(SQLAlchemyError) as caught:
            session.execute(text("SELECT * FROM nowhere WHERE a = :a"), {"a": "a-secret"})
        assert "a-secret" not in str(caught.value)
