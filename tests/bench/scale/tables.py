"""An hour of steady load: how many dead rows the tables have at its end, and how often autovacuum came."""

from __future__ import annotations

import threading
import time

from sqlalchemy import text

from integration.models.connector import ConnectorState
from integration.pipeline.services import Services
from tests.bench.scale.installation import connect, installed, owe, set_state, wait_until_done, working
from tests.bench.scale.sizes import Sizes
from tests.bench.scale.standins import mautics
from tests.bench.world import report
from tests.postgres import Cluster

CONNECTORS, ORDERS, EVERY_S, WORKERS = 10, 5, 2.0, 2
#: A table may have so many dead rows as a share of the living ones, and so many however few live.
DEAD_MAX, DEAD_ANYWAY = 0.2, 2000
_TABLES = text(
    """
    SELECT relname AS name, n_live_tup AS live, n_dead_tup AS dead, n_tup_upd AS updated, n_tup_hot_upd AS hot,
        n_tup_del AS deleted, autovacuum_count AS vacuums, pg_total_relation_size(relid) AS bytes
    FROM pg_stat_user_tables WHERE n_tup_upd + n_tup_del > 0 ORDER BY n_tup_upd + n_tup_del DESC LIMIT 12
    """
)


def measure(cluster: Cluster, sizes: Sizes) -> None:
    """Give orders steadily, 25 a second, then read what PostgreSQL tells of its tables."""
    with installed(cluster, "load") as services, mautics(CONNECTORS, sizes.record_ms / 1000) as ends:
        ids = connect(services, ends.urls, {})
        set_state(services, ids, ConnectorState.ACTIVE)
        with working(services, WORKERS):
            given = _load(services, ids, sizes.load_s)
            wait_until_done(services, 300)
            _tell(services, given, sizes.load_s)


def _load(services: Services, ids: list[int], seconds: float) -> int:
    given, pause, began = 0, threading.Event(), time.monotonic()
    while time.monotonic() - began < seconds:
        for number in ids:
            owe(services, number, ORDERS, first=given + 1)
        given += ORDERS
        pause.wait(max(began + given / ORDERS * EVERY_S - time.monotonic(), 0.0))
    return given * len(ids)


def _tell(services: Services, given: int, seconds: float) -> None:
    with services.db.write() as session:
        # What backends have counted is told a moment later.
        session.execute(text("SELECT pg_stat_clear_snapshot()"))
        rows = session.execute(_TABLES).all()
    report("orders of the load", given / seconds, "per second", "stated", True, seconds=seconds)
    for row in rows:
        is_met = row.dead <= max(DEAD_MAX * row.live, DEAD_ANYWAY)
        hot = round(row.hot / row.updated, 2) if row.updated else None
        more = {"live": row.live, "updated": row.updated, "hot": hot, "deleted": row.deleted}
        more |= {"autovacuums": row.vacuums, "mb": round(row.bytes / 2**20, 1)}
        goal = f"<= {DEAD_MAX:.0%} of the living, or {DEAD_ANYWAY}"
        report(f"dead rows of {row.name}", row.dead, "rows", goal, is_met, **more)
