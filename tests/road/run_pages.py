"""Acts at the pages of a run, its lines, and what it has left in Mautic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from integration.models import RunLine
from integration.pipeline.runs.page_intake import PageIntake
from tests.road.conftest import Road


def at_page(monkeypatch: pytest.MonkeyPatch, phase: str, number: int, act: Callable[[], object]) -> None:
    """Do something once, before a page of a phase is taken."""
    take, acts = PageIntake._page, [act]

    def taking(self: PageIntake, page: Any, *args: Any, **more: Any) -> None:
        if (self.run.phase, page.number) == (phase, number) and acts:
            acts.pop()()
        take(self, page, *args, **more)

    monkeypatch.setattr(PageIntake, "_page", taking)


def contact_rows(road: Road) -> int:
    return sum(call.rows for call in road.mautic.calls if call.path == "/api/contacts/batch/new")


def notes(road: Road) -> Counter[int]:
    """Return how many people have so many notes."""
    return Counter(Counter(note["lead"] for note in road.mautic.state.notes.values()).values())


def lines(road: Road) -> list[str]:
    with road.services.db.read() as session:
        return list(session.scalars(select(RunLine.text).order_by(RunLine.id)))
