"""The watch of a process without an engine: it is what tells that no worker is alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.engines.watch import Watch, add_jobs
from integration.models import Alert, AlertNotice
from integration.operations.monitoring.alerts import editing
from integration.operations.reconciliation import webhook_gaps
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from tests.clock_jobs import by_the_clock
from tests.statements import caught


def test_a_worker_that_is_gone_is_told_by_the_web_process(live: Services) -> None:
    services = replace(live, clock=SetClock(live.clock.now() - timedelta(hours=1)))
    addresses = {"store_url": "https://shop.example.com", "mautic_url": "https://mautic.example.com"}
    connectors.create(services, organisation_id=1, name="Shop", **addresses)
    with services.db.write() as session:
        group = editing.new_group(services.clock.now(), 1)
        editing.save(services, session, group, {"name": "Team", "emails": "ada@example.com"}, [])
    jobs: list[tuple[Callable[[], object], int]] = []
    add_jobs(lambda job, seconds: jobs.append((job, seconds)), live)
    assert [seconds for _, seconds in jobs] == [30, 10]
    for job, _ in jobs:
        job()
    with live.db.read() as session:
        assert session.scalars(select(Alert)).one().cause == "worker_down"
        assert session.scalars(select(AlertNotice)).one().attempts == 1


def jobs_of(services: Services) -> list[Callable[[], object]]:
    jobs: list[Callable[[], object]] = []
    add_jobs(lambda job, seconds: jobs.append(job), services)
    return jobs


def test_of_several_processes_one_looks_for_causes(live: Services) -> None:
    addresses = {"store_url": "https://shop.example.com", "mautic_url": "https://mautic.example.com"}
    for name in ("One", "Two", "Three"):
        connectors.create(live, organisation_id=1, name=name, **addresses)
    asked = []
    for services in (live, replace(live)):
        with caught(live.db.engine) as statements:
            jobs_of(services)[0]()
        asked.append([each.text for each in statements if "FROM hold" in each.text])
    assert len(asked[0]) >= 3
    assert not asked[1]


def test_of_several_processes_one_asks_the_stores_for_their_webhooks(
    live: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Services] = []
    monkeypatch.setattr(webhook_gaps, "tick", asked.append)
    for services in (live, replace(live)):
        for job, _ in by_the_clock(services):
            job()
    assert len(asked) == 1


def test_it_starts_and_stops(live: Services) -> None:
    watch = Watch(live)
    watch.start()
    watch.stop()
