"""One connector with a million waiting rows: what it costs the others, statement by statement and in all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from integration.engines import schedule
from integration.models.connector import ConnectorState
from integration.pipeline import outbox
from integration.pipeline.leases import turns
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services
from tests.bench.scale.installation import aim, connect, installed, owe, set_state, wait_until_done, working
from tests.bench.scale.sizes import Sizes
from tests.bench.scale.standins import mautics
from tests.bench.world import report
from tests.postgres import Cluster

OTHERS, WORKERS = 10, 2
SETTINGS = {"sync.batch_start": 25, "sync.batch_max": 25, "sync.lanes": 1}
#: What the others may take beside the backlog, as times of what they take alone: it has its turn as each of them.
SLOWER_MAX = 1.25
#: What a statement may touch with the backlog: as times of what it touches without, and so many pages in any case.
PAGES_MAX, PAGES_ANYWAY = 1.5, 100
#: Every second row waits behind the first one of its person, as in an import of orders of regular buyers.
_FILL = text(
    """
    INSERT INTO delivery (connector_id, kind, source_id, number, event, identity, person_key, origin, priority, state,
        due_at, attempts, payload, payload_at, modified_at, created_at, result, partial, error_code, error, reached_at)
    SELECT connector_id, kind, 'b' || n, 'b' || n, event, identity || n, md5((n / 2)::text), origin, priority,
        CASE n % 2 WHEN 0 THEN 'ready' ELSE 'waiting' END, due_at, attempts,
        replace(payload::text, 'example.com', 'b' || n / 2 || '.example.com')::json, payload_at, modified_at,
        created_at, result, partial, error_code, error, reached_at
    FROM delivery, generate_series(2, :rows) n WHERE id = :one
    """
)


def measure(cluster: Cluster, sizes: Sizes) -> None:
    """Measure without the backlog and with it, on copies of one database."""
    with installed(cluster, "calm", lanes=OTHERS) as services:
        ids = connect(services, ["http://127.0.0.1:9"] * (OTHERS + 1), SETTINGS)
        for number in ids:
            owe(services, number, sizes.records)
    with installed(cluster, "heaped", template="calm") as services:
        _heap(services, ids[-1], sizes.backlog)
    found = {name: _take(cluster, sizes, name, ids) for name in ("calm", "heaped")}
    for name in found["calm"]:
        without, beside = found["calm"][name], found["heaped"][name]
        what = f"{name} beside {sizes.backlog:,} rows of another connector"
        if name == "seconds of the others":
            ratio = beside / without
            report(what, ratio, "times without", f"<= {SLOWER_MAX}", ratio <= SLOWER_MAX, without_s=round(without, 1))
        else:
            most = max(PAGES_MAX * without, PAGES_ANYWAY)
            goal = f"<= {PAGES_MAX} times without, or {PAGES_ANYWAY}"
            report(what, beside, "pages", goal, beside <= most, without=without)


def _heap(services: Services, connector_id: int, rows: int) -> None:
    with services.db.write() as session:
        one = session.scalar(text("SELECT min(id) FROM delivery WHERE connector_id = :c"), {"c": connector_id})
        session.execute(_FILL, {"rows": rows, "one": one})
    with services.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE delivery"))


def _take(cluster: Cluster, sizes: Sizes, name: str, ids: Sequence[int]) -> dict[str, float]:
    """Return how many pages statements touch and how long the others take (s), all connectors at work."""
    others, big = list(ids[:-1]), ids[-1]
    with (
        installed(cluster, f"{name}_taken", template=name, lanes=sizes.lanes) as services,
        mautics(len(ids), sizes.record_ms / 1000) as ends,
    ):
        aim(services, ids, ends.urls)
        with services.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # The copy of a large table must not be written out while statements are measured.
            connection.execute(text("CHECKPOINT"))
        set_state(services, ids, ConnectorState.ACTIVE)
        taken = _statements(services, others[0], big)
        set_state(services, ids, ConnectorState.PAUSED)
        with working(services, WORKERS):
            began = time.monotonic()
            set_state(services, ids, ConnectorState.ACTIVE)
            wait_until_done(services, 600, others)
            return taken | {"seconds of the others": time.monotonic() - began}


def _statements(services: Services, other: int, big: int) -> dict[str, float]:
    now = services.clock.now()

    def claim(connector_id: int) -> Callable[[Session], object]:
        def act(session: Session) -> object:
            turns.take(session, now, connector_id)
            return outbox.claim(session, now, connector_id, 25, new_token())

        return act

    def due(connector_id: int) -> Callable[[Session], object]:
        return lambda session: outbox.due_count(session, now, connector_id, most=75)

    acts: dict[str, Callable[[Session], object]] = {
        "a claim of a small connector": claim(other),
        "a claim of the heaped connector": claim(big),
        "what is due of the heaped connector": due(big),
        "which connectors are busy": lambda session: schedule.busy_connectors(session, now),
        "lost leases": lambda session: outbox.recover(session, now),
    }
    return {name: _pages(services, act) for name, act in acts.items()}


def _pages(services: Services, act: Callable[[Session], object]) -> float:
    """Return how many pages PostgreSQL touches for the statements of an act; nothing of it is kept.

    Pages and no seconds: those tell what else the machine does.
    """
    sent: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, values: Any, *_: object) -> None:
        sent.append((statement, values))

    event.listen(services.db.engine, "before_cursor_execute", note)
    with services.db.write() as session:
        act(session)
        session.rollback()
    event.remove(services.db.engine, "before_cursor_execute", note)
    with services.db.write() as session:
        touched = sum(_touched(session, *each) for each in sent if each[0].lstrip().startswith(("SELECT", "UPDATE")))
        session.rollback()
    return touched


def _touched(session: Session, statement: str, values: Any) -> int:
    explained = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
    plan = explained.scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
