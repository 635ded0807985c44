"""The watch of a process without an engine: it is what tells that no worker is alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from integration.clock import SetClock
from integration.engines.watch import Watch
from integration.engines.watch import add_jobs
from integration.models import Alert
from integration.models import AlertNotice
from integration.operations.alerts import editing
from integration.operations.alerts.editing import Typed
from integration.pipeline import connectors
from integration.pipeline.ports import Ports


def test_a_worker_that_is_gone_is_told_by_the_web_process(live: Ports) -> None:
    ports = replace(live, clock=SetClock(live.clock.now() - timedelta(hours=1)))
    addresses = {"store_url": "https://shop.example.com", "mautic_url": "https://mautic.example.com"}
    connectors.create(ports, organisation_id=1, name="Shop", **addresses)
    with ports.db.write() as session:
        group = editing.new_group(ports.clock.now(), 1)
        editing.save(ports, session, group, Typed("Team", "ada@example.com"), [])
    jobs: list[tuple[Callable[[], object], int]] = []
    add_jobs(lambda job, seconds: jobs.append((job, seconds)), live)
    assert [seconds for _, seconds in jobs] == [30, 10]
    for job, _ in jobs:
        job()
    with live.db.read() as session:
        assert session.scalars(select(Alert)).one().cause == "worker_down"
        assert session.scalars(select(AlertNotice)).one().attempts == 1


def test_it_starts_and_stops(live: Ports) -> None:
    watch = Watch(live)
    watch.start()
    watch.stop()
