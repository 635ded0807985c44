"""A dry run: maps and compares like the real road, foretells what it would do and cost, and sends nothing (X3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.connector import Connector
from integration.models.follow_up import FollowUpMark
from integration.models.follow_up import MarkState
from integration.models.run import Run
from integration.models.run import RunState
from integration.pipeline import desk as desks
from integration.pipeline import planning
from integration.pipeline import runs
from integration.pipeline.follow_ups import MarkKey
from integration.pipeline.follow_ups import key_of
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line
from integration.plans import Note
from integration.plans import SegmentAdd
from integration.plans import SendEmail

_MOST_LINES = 50
#: The forecast's counters, in the order they are shown.
COUNTERS = (
    "create",
    "update",
    "unchanged",
    "fields",
    "blanked",
    "tags_added",
    "tags_removed",
    "notes",
    "segments",
    "emails",
)


def foretell(session: Session, now: datetime, connector: Connector, run_id: int, changes: Sequence[Change]) -> None:
    """Count in the run what would be written, skipped and refused, and say so for the first records of each page."""
    lines = _lines(now, run_id, changes)
    run = session.get_one(Run, run_id)
    resend = frozenset({run_id}) if run.options.get("resend") else frozenset[int]()
    desk = desks.lay(session, connector, [line.subject for line in lines], resend)
    drawn = [planning.draw(line, desk) for line in lines]
    done = _done(session, connector.id, drawn)
    counts = planning.counts(drawn, done)
    run.pushed += counts["written"]
    run.skipped += counts["skipped"]
    run.failed += counts["failed"]
    before = Counter(run.cursor.get("forecast") or {})
    run.cursor = {**run.cursor, "forecast": dict(before + _counted(drawn, done))}
    for text in [text for one in drawn for text in _sentences(one, done)][:_MOST_LINES]:
        runs.add_line(session, now, run_id, text)


def _done(session: Session, connector_id: int, drawn: Sequence[planning.Drawn]) -> set[MarkKey]:
    """Return which notes and e-mails were sent before: they are never sent twice."""
    keys = {
        key_of(act)
        for one in drawn
        for plan in one.plans.values()
        for act in plan.follow_ups
        if isinstance(act, Note | SendEmail)
    }
    if not keys:
        return set()
    columns = (FollowUpMark.order_id, FollowUpMark.status, FollowUpMark.action)
    query = select(*columns).where(
        FollowUpMark.connector_id == connector_id,
        FollowUpMark.state == MarkState.DONE,
        tuple_(*columns).in_(sorted(keys)),
    )
    return {(order_id, status, action) for order_id, status, action in session.execute(query)}


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


def _counted(drawn: Sequence[planning.Drawn], done: set[MarkKey]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one in drawn:
        if one.write is not None:
            counts["unchanged" if one.unchanged else "update" if one.link else "create"] += 1
            if not one.unchanged:
                counts["fields"] += len(_changed(one))
                counts["blanked"] += sum(value in ("", None) for value in one.write.fields.values())
                counts["tags_added"] += sum(not tag.startswith("-") for tag in one.write.tags)
                counts["tags_removed"] += sum(tag.startswith("-") for tag in one.write.tags)
        for plan in one.plans.values():
            for act in plan.follow_ups:
                counts["segments"] += isinstance(act, SegmentAdd)
                counts["notes"] += isinstance(act, Note) and key_of(act) not in done
                counts["emails"] += isinstance(act, SendEmail) and key_of(act) not in done
    return counts


def _changed(drawn: planning.Drawn) -> list[str]:
    """Return the fields whose value is not the one that Mautic confirmed last; all of a new contact."""
    if drawn.write is None:
        return []
    known = drawn.link.hashes if drawn.link else {}
    fresh = {key.partition(".")[2] for key, value in drawn.hashes.items() if known.get(key) != value}
    return sorted(alias for alias in drawn.write.fields if alias in fresh)


def _sentences(drawn: planning.Drawn, done: set[MarkKey]) -> list[str]:
    names = {item.id: f"{item.kind} {item.object_id}" for item in drawn.line.items}
    texts = [f"Would skip {names[key]}: {skip.sentence}" for key, skip in drawn.skips.items()]
    texts += [f"Would fail {names[key]}: {error}" for key, error in drawn.errors.items()]
    if drawn.write is not None:
        about = "; ".join(_about(drawn))
        verb = "leave unchanged" if drawn.unchanged else "update" if drawn.link else "create"
        texts += [
            f"Would {verb} the contact of {names[key]}{_also(drawn, key, done)} ({about})." for key in drawn.plans
        ]
    return texts


def _about(drawn: planning.Drawn) -> Iterator[str]:
    assert drawn.write is not None, "only what would be written is described"
    yield ", ".join(_changed(drawn)) or "no field changes"
    if drawn.write.tags and not drawn.unchanged:
        yield "tags " + ", ".join(tag if tag.startswith("-") else f"+{tag}" for tag in drawn.write.tags)


def _also(drawn: planning.Drawn, key: int, done: set[MarkKey]) -> str:
    words = [
        act.action.replace("_", " ")
        for act in drawn.plans[key].follow_ups
        if not isinstance(act, Note | SendEmail) or key_of(act) not in done
    ]
    return f" and {', '.join(words)}" if words else ""


def calls_of(run: Run, batch: int) -> int:
    """Return how many calls to Mautic a dry run's forecast would cost, writes and notes in batches of `batch`."""
    counts = Counter(run.cursor.get("forecast") or {})
    batches = -(-(counts["create"] + counts["update"]) // batch) - (-counts["notes"] // batch)
    return batches + -(-counts["segments"] // batch) + counts["emails"]


def seconds_of(session: Session, run: Run) -> float | None:
    """Return how long it would take at the speed of the last run that sent something, None before there was one."""
    query = (
        select(Run)
        .where(Run.connector_id == run.connector_id, Run.state == RunState.COMPLETED, Run.pushed > 0, Run.id != run.id)
        .order_by(Run.id.desc())
        .limit(20)
    )
    for other in session.scalars(query):
        took = (other.ended_at - other.started_at).total_seconds() if other.ended_at and other.started_at else 0
        if took > 0 and not other.options.get("dry_run"):
            return run.pushed * took / other.pushed
    return None
