"""A dry run: maps and compares like the real road, foretells what it would do and cost, and sends nothing (X3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.connector import Connector
from integration.models.run import Run, RunState
from integration.pipeline.delivery import batch_context as batch_context, order_categories, planning
from integration.pipeline.delivery.follow_up_marks import Done, done_before, is_done
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery, of_change
from integration.pipeline.dry_run import differences, simulated_people
from integration.pipeline.ingest import records
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.plans import FollowUp, Note, SegmentAdd, SegmentRemove, SendEmail

_PAGE_MAX_LINES = 50
_TOUCHED = ("new", "changed", "blanked")
_CONTACTS = ("create", "update", "unchanged", "fields", "blanked", "tags_added", "tags_removed")
_COUNTERS = (*_CONTACTS, "notes", "segments", "emails")


def foretell(session: Session, now: datetime, connector: Connector, run: Run, changes: Sequence[Change]) -> None:
    """Count in the run what would be written, skipped and refused, and say so for the first records of each page.

    `run` is the one that the process works on: with it goes what the earlier pages would have written by now.
    """
    found = planned(session, now, connector, changes, run)
    before_it = done(session, connector.id, found)
    counts = planning.counts(found, before_it)
    row = session.get_one(Run, run.id)
    row.pushed += counts["written"]
    row.skipped += counts["skipped"]
    row.failed += counts["failed"]
    before = Counter(row.cursor.get("forecast") or {})
    row.cursor = {**row.cursor, "forecast": dict(before + _counted(found, before_it))}
    for text in [text for one in found for text in _sentences(one, before_it)][:_PAGE_MAX_LINES]:
        run_lifecycle.add_line(session, now, run.id, text)


def planned(
    session: Session, now: datetime, connector: Connector, changes: Sequence[Change], run: Run | None = None
) -> list[planning.PersonPlan]:
    """Return what would be done for changes of one origin, person by person; nothing is written.

    With a `run` that meets them page by page, as it would be after its earlier pages.
    """
    groups = _groups(run.id if run else None, records.dated(session, now, connector.id, changes))
    person_keys = [group.person_key for group in groups]
    resend = frozenset({run.id}) if run and run.options.get("resend") else frozenset[int]()
    context = order_categories.laid(session, batch_context.lay(session, connector, person_keys, resend), groups)
    known = simulated_people.of_run(run) if run else simulated_people.Foreseen()
    context = replace(context, links=known.links(person_keys, context.links), consents=known.consents(context.consents))
    found = [planning.plan_group(group, context) for group in groups]
    known.note(found)
    return found


def done(session: Session, connector_id: int, planned: Sequence[planning.PersonPlan]) -> set[Done]:
    """Return which follow-ups were done before: they are not done again."""
    return done_before(session, connector_id, [act for one in planned for _, act in _acts(one)])


def _acts(planned: planning.PersonPlan) -> list[tuple[int, FollowUp]]:
    return [(key, act) for key, plan in planned.plans.items() for act in plan.follow_ups]


def still_open(planned: planning.PersonPlan, done: set[Done]) -> list[tuple[int, FollowUp]]:
    """Return the follow-ups that are still to be done, each with the id of its delivery."""
    contact_id = planned.link.contact_id if planned.link else 0
    return [(key, act) for key, act in _acts(planned) if not is_done(act, contact_id, done)]


def _groups(run_id: int | None, changes: Sequence[Change]) -> list[DeliveryGroup]:
    people: dict[str, list[LeasedDelivery]] = {}
    for place, change in enumerate(changes):
        people.setdefault(change.ordering_key, []).append(of_change(-1 - place, change, run_id))
    return [DeliveryGroup(person_key, tuple(items)) for person_key, items in people.items()]


def _counted(planned: Sequence[planning.PersonPlan], done: set[Done]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one in planned:
        if one.write is not None:
            counts["unchanged" if one.unchanged else "update" if one.link else "create"] += 1
            counts.update(_touched(differences.of(one)))
        for _, act in still_open(one, done):
            counts["segments"] += isinstance(act, SegmentAdd | SegmentRemove)
            counts["notes"] += isinstance(act, Note)
            counts["emails"] += isinstance(act, SendEmail)
    return counts


def _touched(found: differences.Differences) -> Counter[str]:
    groups = {how: getattr(found, how) for how in _TOUCHED}
    counts = Counter(f"{how}.{alias}" for how, aliases in groups.items() for alias in aliases)
    counts["fields"] = sum(map(len, groups.values()))
    counts["blanked"] = len(found.blanked)
    counts["tags_added"] = len(found.tags_added)
    counts["tags_removed"] = len(found.tags_removed)
    return counts


def _sentences(planned: planning.PersonPlan, done: set[Done]) -> list[str]:
    names = {leased.id: f"{leased.kind} {leased.object_id}" for leased in planned.group.deliveries}
    texts = [f"Would skip {names[key]}: {skip.sentence}" for key, skip in planned.skips.items()]
    texts += [f"Would fail {names[key]}: {error}" for key, error in planned.errors.items()]
    if planned.write is not None:
        about = differences.of(planned)
        verb = "leave unchanged" if planned.unchanged else "update" if planned.link else "create"
        texts += [
            f"Would {verb} the contact of {names[key]}{_also(planned, key, done)} ({about})." for key in planned.plans
        ]
    return texts


def _also(planned: planning.PersonPlan, key: int, done: set[Done]) -> str:
    words = [act.action.replace("_", " ") for each, act in still_open(planned, done) if each == key]
    return f" and {', '.join(words)}" if words else ""


@dataclass(frozen=True, slots=True)
class Touched:
    """How many contacts a dry run would give a new value, another one or none in one field."""

    alias: str
    new: int
    changed: int
    blanked: int


def fields_of(run: Run) -> list[Touched]:
    """Return what would befall each field, those most touched first."""
    counts = Counter(run.cursor.get("forecast") or {})
    aliases = {key.partition(".")[2] for key in counts if "." in key}
    found = [Touched(alias, *(counts[f"{how}.{alias}"] for how in _TOUCHED)) for alias in aliases]
    return sorted(found, key=lambda each: (-each.new - each.changed - each.blanked, each.alias))


def calls_of(run: Run, batch: int) -> int:
    """Return how many calls to Mautic a dry run's forecast would cost, writes and notes in batches of `batch`."""
    counts = Counter(run.cursor.get("forecast") or {})
    batches = -(-(counts["create"] + counts["update"]) // batch) - (-counts["notes"] // batch)
    return batches + -(-counts["segments"] // batch) + counts["emails"]


def seconds_of(session: Session, run: Run) -> float | None:
    """Return how long it would take at the speed of the last run that sent something, None before there was one."""
    each = seconds_a_record(session, run.connector_id, besides=run.id)
    return None if each is None else run.pushed * each


def seconds_a_record(session: Session, connector_id: int, *, besides: int = 0) -> float | None:
    """Return how long a record took in the last run that sent something, None before there was one."""
    done = (Run.connector_id == connector_id, Run.state == RunState.COMPLETED, Run.pushed > 0, Run.id != besides)
    for other in session.scalars(select(Run).where(*done).order_by(Run.id.desc()).limit(20)):
        took = (other.ended_at - other.started_at).total_seconds() if other.ended_at and other.started_at else 0
        took -= other.rested_s
        if took > 0 and not other.is_dry:
            return took / other.pushed
    return None


def summary(session: Session, run: Run, batch: int) -> dict[str, int | None]:
    """Return a dry run's forecast in plain figures: counters, calls to Mautic, seconds or None while unknown."""
    counts = Counter(run.cursor.get("forecast") or {})
    seconds = seconds_of(session, run)
    figures: dict[str, int | None] = {name: counts[name] for name in _COUNTERS}
    return figures | {"calls": calls_of(run, batch), "seconds": None if seconds is None else round(seconds)}
