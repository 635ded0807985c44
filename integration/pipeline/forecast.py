"""A dry run: maps and compares like the real road, and sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline import desk as desks
from integration.pipeline import planning
from integration.pipeline import runs
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line

_MOST_LINES = 50


def foretell(session: Session, now: datetime, connector: Connector, run_id: int, changes: Sequence[Change]) -> None:
    """Count in the run what would be written, skipped and refused, and say so for the first records of each page."""
    lines = _lines(now, run_id, changes)
    desk = desks.lay(session, connector, [line.subject for line in lines])
    drawn = [planning.draw(line, desk) for line in lines]
    counts = planning.counts(drawn)
    run = session.get_one(Run, run_id)
    run.pushed += counts["written"]
    run.skipped += counts["skipped"]
    run.failed += counts["failed"]
    for text in [text for one in drawn for text in _sentences(one)][:_MOST_LINES]:
        runs.add_line(session, now, run_id, text)


def _lines(now: datetime, run_id: int, changes: Sequence[Change]) -> list[Line]:
    people: dict[str, list[Item]] = {}
    for place, change in enumerate(changes):
        subject = change.subject or f"{change.kind}:{change.source_id}"
        item = Item(
            -1 - place,
            change.kind,
            change.source_id,
            change.number,
            change.what,
            subject,
            change.origin,
            change.payload,
            now,
            1,
            run_id,
        )
        people.setdefault(subject, []).append(item)
    return [Line(subject, tuple(items)) for subject, items in people.items()]


def _sentences(drawn: planning.Drawn) -> list[str]:
    names = {item.id: f"{item.kind} {item.object_id}" for item in drawn.line.items}
    texts = [f"Would skip {names[key]}: {skip.sentence}" for key, skip in drawn.skips.items()]
    texts += [f"Would fail {names[key]}: {error}" for key, error in drawn.errors.items()]
    if drawn.write is not None:
        verb = "leave unchanged" if drawn.unchanged else "update" if drawn.link else "create"
        fields = ", ".join(sorted(drawn.write.fields)) or "no fields"
        texts += [f"Would {verb} the contact of {names[key]} ({fields})." for key in drawn.plans]
    return texts
