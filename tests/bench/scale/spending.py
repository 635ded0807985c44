"""What a measurement costs: seconds of CPU of processes, of PostgreSQL and of the machine, and transactions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from integration.pipeline.services import Services

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU of some processes, of PostgreSQL and of all the machine, and transactions of one database."""

    ours_s: float
    postgres_s: float
    machine_s: float
    transactions: int

    @property
    def whole_s(self) -> float:
        """Return the seconds of CPU of the processes and PostgreSQL together."""
        return self.ours_s + self.postgres_s

    def since(self, before: Spent) -> Spent:
        """Return what was spent since another reading."""
        return Spent(
            self.ours_s - before.ours_s,
            self.postgres_s - before.postgres_s,
            self.machine_s - before.machine_s,
            self.transactions - before.transactions,
        )


def read(services: Services, pids: Sequence[int], postmaster: int) -> Spent:
    """Read what was spent so far; a process that is gone counts nothing."""
    with services.db.read() as session:
        query = text("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
        transactions = int(session.scalar(query) or 0)
    backends = [pid for pid in _pids() if _parent(pid) == postmaster]
    postgres = sum(_seconds(pid) for pid in backends) + _seconds(postmaster, of_children=True)
    return Spent(sum(map(_seconds, pids)), postgres, _machine(), transactions)


def _pids() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else 0


def _seconds(pid: int, *, of_children: bool = False) -> float:
    stat = _stat(pid)
    return sum(map(int, stat[11 : 15 if of_children else 13])) / _TICKS if stat else 0.0


def _machine() -> float:
    """Return the seconds that all processors were busy."""
    user, nice, system, _idle, _wait, irq, soft = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + soft) / _TICKS
