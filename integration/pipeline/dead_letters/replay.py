"""A replay run: sends all dead letters that match again, or discards them, slice by slice (B4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.run import DELIVERING, Run
from integration.pipeline import outbox
from integration.pipeline.dead_letters import filters
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.pipeline.leases.endings import Stopped
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.runs.page_intake import PageIntake
from integration.words import counted

SLICE = 500
_AGAIN = "Nothing was changed; choose again on the Dead letters page."


@dataclass
class Replay(PageIntake):
    """Takes the dead letters that the run's options name: `filter` as in a URL, `ids`, `act` replay or discard."""

    calls: int = 0

    def read(self) -> None:
        """Go through the dead letters that waited when the run began; what dies again meanwhile is not taken twice."""
        if self.run.phase == DELIVERING:
            return
        self._enter("replay")
        while not self.stop.is_set():
            if not (taken := self._slice()):
                return
            self.services.wakeup.ring(self.connector.id)
            self._yield(taken)
        raise Stopped

    @property
    def _query(self) -> DeadQuery:
        """Return the stored filter; raises SettingError when it cannot be read, since without it all would be meant."""
        stored: dict[str, str] = dict(self.options.get("filter") or {})
        zone = str(self.options.get("zone") or "UTC")
        if unknown := sorted(set(stored) - set(DeadQuery.parameters())):
            raise SettingError("filter", f"There is no filter “{unknown[0][:40]}”.", _AGAIN)
        query, notices = DeadQuery.parse(self.connector.id, {**stored, "status": "pending"}, zone)
        if notices:
            raise SettingError("filter", notices[0], _AGAIN)
        return query

    def _slice(self) -> int:
        with self.services.db.write() as session:
            run = self._held(session)
            place = self._place(session, run)
            ids = self._ids(session, place)
            if ids:
                self._act(session, run, ids)
                place["after"] = ids[-1]
            run.cursor = {**run.cursor, "replay": place}
        self.run.cursor = run.cursor
        self.pages += 1
        return len(ids)

    def _place(self, session: Session, run: Run) -> dict[str, int]:
        """Return where the run stands; at its beginning the newest dead letter is noted, and how many there are."""
        known = run.cursor.get("replay")
        if known:
            return dict(known)
        chosen = self.options.get("ids")
        run.expected = len(chosen) if chosen is not None else filters.count(session, self._query)
        return {"after": 0, "upto": filters.newest_id(session, self.connector.id)}

    def _ids(self, session: Session, place: dict[str, int]) -> list[int]:
        if (chosen := self.options.get("ids")) is not None:
            return [key for key in sorted(map(int, chosen)) if key > place["after"]][:SLICE]
        return list(filters.slice_of(session, self._query, place["after"], place["upto"], SLICE))

    def _act(self, session: Session, run: Run, ids: list[int]) -> None:
        run.pulled += len(ids)
        if self.options.get("act") == "discard":
            gone = outbox.bury(session, self._now(), self.connector.id, ids, str(self.options.get("reason") or ""))
            run.skipped += len(ids)
            self._say(session, f"{counted(gone, 'dead letter was', 'dead letters were')} discarded.")
            return
        came = outbox.requeue(session, self._now(), self.connector.id, ids, run.id)
        run.accepted += came.queued
        run.already += came.busy
        run.skipped += came.gone
        self.services.on_accept(session, self.connector.id)
        self._say(session, said(came))

    def _say(self, session: Session, text: str) -> None:
        run_lifecycle.add_line(session, self._now(), self.run.id, text)


def said(came: outbox.Requeued) -> str:
    """Return how many were queued, and how many were left out and why."""
    parts = [f"{came.queued:,} queued to be sent again"]
    if came.busy:
        parts.append(f"{came.busy:,} left out because the same change is on its way already")
    if came.gone:
        parts.append(f"{came.gone:,} left out because they wait no more")
    return "; ".join(parts) + "."


def options_of(query: DeadQuery, zone: str, **more: Any) -> dict[str, Any]:
    """Return the options of a run that takes what a query matches."""
    return {"filter": query.args(before=None, limit=None), "zone": zone, **more}
