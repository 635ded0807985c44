"""Heartbeats: whether the processes that do the work are alive."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from integration.models.schedule import Heartbeat

if TYPE_CHECKING:
    from integration.pipeline.services import Services

#: Heartbeats of either say that work is being done: inside the web process, or in processes of its own.
WORKING_ROLES = ("embedded", "worker")
ALIVE_FOR = timedelta(seconds=60)
#: The clocks of two machines may differ by so much; what lies further ahead is from before a clock was set back.
CLOCKS_DIFFER = timedelta(minutes=2)
#: Whether any process of `roles` was alive between `since` and `until`, as `lately` gives them; made once.
ALIVE = select(
    exists().where(
        Heartbeat.role.in_(bindparam("roles", expanding=True)),
        Heartbeat.beat_at.between(bindparam("since"), bindparam("until")),
    )
)


def beat(services: Services, name: str, role: str) -> None:
    """Say that the process `name`, which does the work of `role`, is alive now."""
    with services.db.write() as session:
        session.merge(Heartbeat(name=name[:120], role=role[:20], beat_at=services.clock.now()))


def alive(session: Session, now: datetime, *roles: str) -> bool:
    """Return whether any process of one of these roles was alive within the last 60 seconds."""
    return bool(session.scalar(ALIVE, lately(now, *roles)))


def lately(now: datetime, *roles: str) -> dict[str, Any]:
    """Return the parameters of ALIVE."""
    return {"roles": roles, "since": now - ALIVE_FOR, "until": now + CLOCKS_DIFFER}


def last_beat(session: Session, *roles: str) -> datetime | None:
    """Return when a process of one of these roles was last alive, None when none ever was."""
    return session.scalar(select(func.max(Heartbeat.beat_at)).where(Heartbeat.role.in_(roles)))


def ahead_by(session: Session, now: datetime) -> timedelta | None:
    """Return how far a process was alive in the future, so that a clock was set back since; None where none was."""
    last = session.scalar(select(func.max(Heartbeat.beat_at)))
    return last - now if last is not None and last > now + CLOCKS_DIFFER else None
