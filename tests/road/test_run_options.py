"""Runs with options over the whole road: filters, unchanged too, payload files, the dry run's forecast."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import select

from integration.http.transport import Exchange
from integration.models import Connector, PayloadFile
from integration.pipeline.dry_run import forecast
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import progress as run_progress
from integration.pipeline.services import with_observers
from tests.road.conftest import Road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(orders__notes=True)
    for number in range(6):
        road.order(f"p{number}@example.com")
    return road


def listen(road: Road) -> list[Exchange]:
    """Hear all calls from now on."""
    heard: list[Exchange] = []
    road.services = with_observers(road.services, lambda connector: heard.append)
    return heard


def shown(road: Road) -> list[str]:
    return sorted(d.source_id for d in road.deliveries() if d.kind == "order")


def test_only_the_asked_orders_are_read(road: Road) -> None:
    wanted = [row.id for row in road.store.state.orders][:2]
    run = road.run("bulk", only=["orders"], ids=wanted)
    assert (run.state, run.pulled, shown(road)) == ("COMPLETED", 2, sorted(map(str, wanted)))


def test_a_window_and_a_page_size_are_kept_to(road: Road) -> None:
    assert road.run("bulk", only=["orders"], until="2001-01-01T00:00:00+00:00").pulled == 0
    heard = listen(road)
    run = road.run("bulk", only=["orders"], since="2001-01-01T00:00:00+00:00", page_size=10)
    assert run.pulled == 6
    assert any("per_page=10&" in f"{exchange.url}&" for exchange in heard)


def test_unchanged_is_sent_too_when_asked(road: Road) -> None:
    road.run("bulk", only=["orders"])
    assert road.run("bulk", only=["orders"]).skipped == 6
    assert road.run("bulk", only=["orders"], resend=True).pushed == 6


def test_payload_files_hold_what_came_and_what_went(road: Road) -> None:
    run = road.run("bulk", only=["orders"], payloads=True)
    with road.services.db.read() as session:
        files = session.scalars(select(PayloadFile).where(PayloadFile.run_id == run.id)).all()
        linked = {line.payload_file_id for line in run_progress.lines(session, run.id)} - {None}
    assert {file.id for file in files} == linked
    kept = {"pull": "", "push": ""}
    for file in files:
        path = payload_files.path_of(road.services, file)
        assert path is not None
        kept[file.direction] += path.read_text()
        json.loads(path.read_text())
    assert "p3@example.com" in kept["pull"]
    assert "contacts/batch/new" in kept["push"]
    assert road.mautic.credentials.client_secret not in kept["push"]


def test_the_calls_of_a_run_carry_its_correlation_id(road: Road) -> None:
    heard = listen(road)
    run = road.run("bulk", only=["orders"])
    of_lists = [e for e in heard if e.service == "store" and "/wc/v3/orders" in e.url]
    writes = [e for e in heard if e.service == "mautic" and "/batch/" in e.url]
    assert len(of_lists) > 1
    assert len(writes) > 1
    assert {e.request_headers.get("X-Correlation-ID") for e in of_lists + writes} == {run.correlation_id}


def test_a_dry_run_foretells_and_sends_nothing(road: Road) -> None:
    run = road.run("bulk", only=["orders"], dry_run=True)
    told = run.cursor["forecast"]
    assert (told["create"], told["notes"], told.get("update", 0)) == (6, 6, 0)
    assert told["fields"] > 6
    assert forecast.calls_of(run, 50) == 2
    assert road.writes() == 0
    assert road.deliveries() == []


def test_notes_that_exist_are_no_writes_of_a_dry_run(road: Road) -> None:
    road.run("bulk", only=["orders"])
    again = road.run("bulk", only=["orders"], dry_run=True)
    assert (again.pushed, again.skipped) == (0, 6)
    assert again.cursor["forecast"].get("notes", 0) == 0
    assert again.cursor["forecast"]["unchanged"] == 6


def test_the_forecast_comes_true(road: Road) -> None:
    told = road.run("bulk", only=["orders"], dry_run=True)
    done = road.run("bulk", only=["orders"])
    assert (told.pushed, told.skipped, told.failed) == (done.pushed, done.skipped, done.failed)


def cursors(road: Road) -> dict[str, object]:
    with road.services.db.read() as session:
        return dict(session.get_one(Connector, road.connector_id).cursors)


def test_after_a_dry_run_the_next_incremental_one_still_finds_the_changes(road: Road) -> None:
    road.run("incremental", only=["contacts"])
    road.store.shop.register_customer(email="new@example.com", first_name="Nina", last_name="New")
    before = cursors(road)
    told = road.run("incremental", dry_run=True)
    assert (told.pushed, road.writes()) == (7, 0)
    assert cursors(road) == before
    assert road.run("incremental").pulled == told.pulled
    road.work()
    assert len(road.mautic.state.contacts) == 7


def test_who_ordered_and_is_a_customer_is_one_contact_of_the_forecast(road: Road) -> None:
    road.store.shop.register_customer(email="p1@example.com", first_name="Ada", last_name="Lovelace")
    told = road.run("full", dry_run=True).cursor["forecast"]
    assert (told["create"], told["update"] + told.get("unchanged", 0)) == (6, 1)
    road.run("full")
    assert len(road.mautic.state.contacts) == 6


def test_a_customer_that_the_store_cannot_give_ends_no_incremental_run(road: Road) -> None:
    road.run("incremental", only=["contacts"])
    made = [road.store.shop.register_customer(email=f"c{n}@example.com", first_name="C") for n in range(3)]
    bad = made[1]["id"]
    mended = _refuse_customer(road, bad)
    run = road.run("incremental", only=["contacts"])
    assert (run.state, run.pulled) == ("COMPLETED", 2)
    with road.services.db.read() as session:
        [error] = [line.text for line in run_progress.lines(session, run.id) if line.level == "error"]
    assert error.startswith(f"The store could not give customer {bad}: ")
    mended()
    assert road.run("incremental", only=["contacts"]).pulled == 1
    assert road.mautic.state.contact("c1@example.com") is not None


def _refuse_customer(road: Road, customer_id: int) -> Callable[[], None]:
    """Let the shop fail whenever this customer is asked for whole; the returned function mends it."""
    app = road.store.app
    inner = app.wsgi_app

    def guarded(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI
        asked = parse_qsl(environ["QUERY_STRING"])
        wanted = {one for name, value in asked if name.startswith("include") for one in value.split(",")}
        if environ["PATH_INFO"].endswith("/customers") and str(customer_id) in wanted:
            start_response("500 Internal Server Error", [("Content-Type", "application/json")])
            return [b'{"code":"internal_server_error","message":"There has been a critical error.","data":null}']
        return inner(environ, start_response)

    app.wsgi_app = guarded  # type: ignore[method-assign]
    return lambda: setattr(app, "wsgi_app", inner)
