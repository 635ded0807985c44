"""The watch of a process without an engine: it is what tells that no worker is alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from integration.clock import SetClock
from integration.engines.watch import Watch, add_jobs
from integration.models import Alert, AlertNotice
from integration.operations.monitoring.alerts import editing
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services


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


def test_it_starts_and_stops(live: Services) -> None:
    watch = Watch(live)
    watch.start()
    watch.stop()
