"""Runs with options over the whole road: filters, unchanged too, payload files, the dry run's forecast."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from integration.models import PayloadFile
from integration.pipeline import forecast
from integration.pipeline import payload_files
from integration.pipeline import runs
from integration.pipeline.ports import with_observers
from integration.transport import Exchange
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
    road.ports = with_observers(road.ports, lambda connector: heard.append)
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
    with road.ports.db.read() as session:
        files = session.scalars(select(PayloadFile).where(PayloadFile.run_id == run.id)).all()
        linked = {line.payload_file_id for line in runs.lines(session, run.id)} - {None}
    assert {file.id for file in files} == linked
    kept = {"pull": "", "push": ""}
    for file in files:
        path = payload_files.path_of(road.ports, file)
        assert path is not None
        kept[file.direction] += path.read_text()
        json.loads(path.read_text())
    assert "p3@example.com" in kept["pull"]
    assert "contacts/batch/new" in kept["push"]
    assert road.mautic.credentials.client_secret not in kept["push"]


def test_the_calls_of_a_run_carry_its_correlation_id(road: Road) -> None:
    heard = listen(road)
    run = road.run("bulk", only=["orders"])
    for service in ("store", "mautic"):
        carried = [e.request_headers.get("X-Correlation-ID") for e in heard if e.service == service]
        assert run.correlation_id in carried


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
