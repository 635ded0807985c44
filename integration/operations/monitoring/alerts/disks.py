"""The disks of all processes: each reports what is wrong with its own, and whoever looks for causes tells of all.

Machines have disks of their own, and a process sees no other's: what it alone would tell the next one would take back.
"""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.disk_report import DiskReport
from integration.models.sql import upsert
from integration.operations.monitoring.alerts.finding import Finding
from integration.operations.monitoring.heartbeat import CLOCKS_DIFFER
from integration.pipeline.disk import MAKE_ROOM
from integration.pipeline.leases.tokens import this_process
from integration.pipeline.services import Services

#: A report that was not renewed for so long is of a process that is gone: three looks, and what clocks may differ.
FRESH = timedelta(seconds=90) + CLOCKS_DIFFER
FULL, LOW = "disk_full", "disk_low"


def look(services: Services) -> list[Finding]:
    """Return what is wrong with the disk of this process."""
    fault, shortage = services.disk.look(), services.disk.shortage()
    here = f"It is the disk of the machine “{socket.gethostname()}”."
    full = [_finding(FULL, fault, here if services.disk.is_here() else "")] if fault is not None else []
    return full + ([Finding(LOW, shortage, f"{MAKE_ROOM} {here}")] if shortage else [])


def _finding(cause: str, fault: IntegrationError, where: str) -> Finding:
    return Finding(cause, fault.sentence, f"{fault.hint} {where}".strip())


def report(services: Services) -> None:
    """Write what is wrong with the disk of this process, and take back what is not any more.

    A disk that refuses even that is known to the process itself. Raises what else the database raises.
    """
    rows, mine = [_row(services.clock.now(), each) for each in look(services)], DiskReport.process == this_process()
    with services.db.read() as session:
        known = set(session.scalars(select(DiskReport.cause).where(mine)))
    if not rows and not known:
        return

    def write() -> None:
        with services.db.write() as session:
            session.execute(delete(DiskReport).where(mine, DiskReport.cause.not_in([row["cause"] for row in rows])))
            upsert(session, DiskReport, rows, ("sentence", "hint", "at"))

    services.disk.tolerated(write)()


def _row(now: datetime, finding: Finding) -> dict[str, object]:
    about = {"cause": finding.cause, "sentence": finding.sentence, "hint": finding.hint}
    return {"process": this_process(), **about, "at": now}


def found(session: Session, now: datetime, own: Sequence[Finding]) -> list[Finding]:
    """Return what is wrong with the disks of all processes, one finding a cause; `own` is of this one now.

    What it has reported itself does not count: its disk may take nothing, not even that there is room again.
    """
    reported = _reported(session, now)
    reported[this_process()] = own
    by_cause: dict[str, Finding] = {}
    # In the same order for everybody: an alert's words must not change with who looks.
    for process in sorted(reported):
        is_full = any(each.cause == FULL for each in reported[process])
        for each in reported[process]:
            # Where it is full, nobody needs to hear that it nearly is; on another machine somebody does.
            finding = replace(each, opens=each.cause == FULL or not is_full)
            if each.cause not in by_cause or (finding.opens and not by_cause[each.cause].opens):
                by_cause[each.cause] = finding
    return list(by_cause.values())


def _reported(session: Session, now: datetime) -> dict[str, Sequence[Finding]]:
    """Return what is wrong with the disks of processes that are alive, by process."""
    fresh = DiskReport.at.between(now - FRESH, now + CLOCKS_DIFFER)
    found: dict[str, list[Finding]] = defaultdict(list)
    for row in session.scalars(select(DiskReport).where(fresh)):
        found[row.process].append(Finding(row.cause, row.sentence, row.hint))
    return dict(found)
