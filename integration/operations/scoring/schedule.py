"""The rows of the schedule that RFM classes go by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration.models.schedule import Schedule
from integration.models.sql import upsert

#: Names of the jobs: to begin a computation, and to carry on the pages of one that is going.
JOB, PAGES = "rfm", "rfm_pages"


def bring_forward(session: Session, now: datetime, connector_id: int) -> None:
    """Let the classes be computed at the next look, within a minute, and not only at night."""
    for job in (JOB, PAGES):
        row = {"connector_id": connector_id, "job": job, "every": 0, "cron": "", "next_run_at": now}
        upsert(session, Schedule, [row], ("next_run_at",))
