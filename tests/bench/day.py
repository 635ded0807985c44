"""A day and a bit of ordinary load on a clock that is moved: what grows in the process that serves and works.

Both stand-ins are in another process; their clock is moved along. A step is a minute unless BENCH_DAY_STEP says so.
"""

from __future__ import annotations

import gc
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from integration import heap
from integration.clock import SetClock
from integration.config import Deployment
from integration.engines.embedded import Ticks
from integration.engines.worker import Worker
from integration.models.connector import Connector
from integration.models.migrate import upgrade
from integration.models.organisation import Organisation
from integration.models.user import Role
from integration.operations.identity import accounts
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.bench import resident
from tests.bench.child import Child, python
from tests.bench.hooks import SECRET
from tests.bench.world import NOW, order, report, signed

HOURS, EARLY_H = int(os.environ.get("BENCH_DAY_HOURS", "24")), 2
STEP_MIN = int(os.environ.get("BENCH_DAY_STEP", "1"))
#: The last hour may be so much larger than the second, in MB, and have so many more of Python's objects.
GROWN_MB, GROWN_OBJECTS = 10.0, 5_000
#: Orders of webhooks have numbers that the store does not come to.
FIRST_ORDER = 10_000_000
PAGES = ("", "/records", "/dead-letters", "/tools/log", "/activity", "/runs", "/diagnostics", "/settings", "/orders")


@dataclass
class MovedJobs:
    """Does the engine's jobs when the clock has been moved past their time; the place of APScheduler here."""

    clock: SetClock
    jobs: list[tuple[Callable[[], object], int]] = field(default_factory=list)
    done_at: dict[int, float] = field(default_factory=dict)

    def add(self, job: Callable[[], object], seconds: int) -> None:
        """Do a job every so many seconds."""
        self.jobs.append((job, seconds))

    def start(self) -> None:
        """Have nothing in the background."""

    def stop(self) -> None:
        """Have nothing in the background."""

    def do(self) -> None:
        """Do each job that is due, once."""
        now = self.clock.steady_s()
        for number, (job, seconds) in enumerate(self.jobs):
            if now - self.done_at.get(number, 0.0) >= seconds:
                self.done_at[number] = now
                job()


@dataclass
class Day:
    """The process in hand: pages, webhooks, jobs and the worker, by one clock that is moved."""

    clock: SetClock
    services: Services
    client: FlaskClient
    user_id: int
    connector_id: int
    ends: Child
    asked: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Make the jobs and the worker."""
        with self.services.db.read() as session:
            self._hook = session.get_one(Connector, self.connector_id).webhook_path
        self._jobs = MovedJobs(self.clock)
        Ticks(self.services, "bench", self._jobs).start()
        self._worker = Worker(self.services)

    def step(self, number: int) -> None:
        """Let one step go by: something happens in the store, a webhook comes, a page is asked, what is due is done."""
        self.clock.advance(minutes=STEP_MIN)
        self.ends.ask(str(STEP_MIN))
        self._webhook(FIRST_ORDER + number)
        self._page(PAGES[number % len(PAGES)])
        self._jobs.do()
        self._worker.until_idle(check=0.01)

    def stop(self) -> None:
        """Let the worker end."""
        self._worker.stop()

    def _webhook(self, number: int) -> None:
        body = json.dumps(order(number, f"hooked{number % 500}@example.com")).encode()
        answer = self.client.post(f"/hooks/{self._hook}", data=body, headers=signed(body, SECRET))
        self.asked[f"webhook {answer.status_code}"] += 1

    def _page(self, page: str) -> None:
        answer = self.client.get(f"/connectors/{self.connector_id}{page}", follow_redirects=True)
        if answer.request.path.startswith("/sign-in"):
            self.client.post(f"/sign-in/link/{accounts.make_link(self.services, self.user_id)}")
        self.asked[f"page {answer.status_code}"] += 1


def measure() -> None:
    """Run the hours and compare the second with the last."""
    heap.keep_small()
    with tempfile.TemporaryDirectory() as folder, python("-c", _ENDS, NOW.isoformat(), SECRET) as ends:
        day = _day(Path(folder), ends)
        sizes = [_hour(day, hour) for hour in range(HOURS)]
        day.stop()
        day.services.db.dispose()
    (early, objects), (late, more) = sizes[EARLY_H - 1], sizes[-1]
    told = {"step_min": STEP_MIN, "hours": [round(size) for size, _ in sizes], "asked": dict(day.asked)}
    grown = late - early
    report("grown from hour 2 to hour 24", grown, "MB", f"<= {GROWN_MB:.0f}", grown <= GROWN_MB, **told)
    fine = more - objects <= GROWN_OBJECTS
    report("objects more in hour 24 than in hour 2", more - objects, "objects", f"<= {GROWN_OBJECTS}", fine, of=more)


def _hour(day: Day, hour: int) -> tuple[float, int]:
    """Let an hour go by and return the resident size in MB and the number of Python's objects at its end."""
    steps = 60 // STEP_MIN
    for number in range(hour * steps, (hour + 1) * steps):
        day.step(number)
    gc.collect()
    return resident.megabytes(), len(gc.get_objects())


def _day(folder: Path, ends: Child) -> Day:
    clock = SetClock(NOW)
    url = f"sqlite:///{folder}/bench.sqlite"
    deployment = Deployment(
        instance_path=folder, secret_key="b" * 32, database_url=url, private_hosts=("*",), ratelimit=False
    )
    upgrade(url)
    services = open_services(deployment, clock=clock)
    with services.db.write() as session:
        session.add(Organisation(name="Bench", created_at=NOW))
    where: dict[str, Any] = json.loads(ends.line())
    number = connectors.create(services, organisation_id=1, name="Bench", webhook_secret=SECRET, **where)
    app = create_app(deployment, services)
    app.config["WTF_CSRF_ENABLED"] = False
    user = accounts.create_user(services, 1, "bench@example.com", Role.ADMIN, "bench-password-1")
    return Day(clock, services, app.test_client(), user, number, ends)


_ENDS = """
import json, sys
from datetime import datetime
from integration.clock import SetClock
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.sandbox.store.bulk import seed_bulk
from tests.bench.world import whereabouts
from tests.soak.shoppers import Shoppers
clock = SetClock(datetime.fromisoformat(sys.argv[1]))
with StoreServer(clock=clock) as store, MauticServer(clock=clock) as mautic:
    seed_bulk(store.state, customers=50, orders=200)
    shoppers = Shoppers(store.shop, 1)
    print(json.dumps(whereabouts(store, mautic)), flush=True)
    for line in sys.stdin:
        clock.advance(minutes=int(line))
        shoppers.step()
        store.calls.reset()
        mautic.calls.reset()
        print(json.dumps(sum(shoppers.acts.values())), flush=True)
"""
