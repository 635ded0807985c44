"""The connector's list of Mautic fields: stored, read anew hourly, completed at first need when that is wanted.

What else Mautic tells of itself is read and kept with it: its version, the names of segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from integration import streams
from integration.errors import ServiceError
from integration.mapping.fields import check, needs
from integration.mautic.client import MauticClient
from integration.mautic.fields import Fields, length
from integration.models.connector import Connector
from integration.models.run import Run, RunKind
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.connectors import segment_names
from integration.pipeline.delivery.batch_context import LIMITS, fields_from_json, fields_to_json
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log
from integration.pipeline.sync_log.writing import Entry
from integration.plans import FieldNeed, MauticField
from integration.settings import Modules

#: What the sync log calls the making of a field (P84).
CREATE_FIELD = "create_field"
MAX_AGE = timedelta(hours=1)
#: While a field that we need is missing, somebody may be making it.
MAX_AGE_INCOMPLETE = timedelta(minutes=1)
#: How long a length is believed that a refusal has told.
LIMIT_AGE_MAX = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Made:
    """A field that was created in Mautic, and what it was needed for."""

    need: FieldNeed
    field: MauticField


def _entry(connector_id: int, now: datetime, made: Made) -> Entry:
    kind = streams.of_module(made.need.modules[0]).kind
    message = f"Created the field “{made.need.label}” ({made.need.type}) in Mautic."
    return Entry(connector_id, now, kind, made.field.alias, CREATE_FIELD, message=message)


def ensure_fields(
    services: Services, connector: Connector, client: MauticClient, runs: Iterable[Run], modules: Modules
) -> Connector:
    """Return the connector with a list of fields that will do for a batch with deliveries of these runs.

    A batch of live changes takes the stored one, which the clock keeps recent; only a connector without a list, or with
    that of another Mautic, gets it here. A batch of a run takes one that is recent, and not from before the run if that
    reads all records. One that another lane has read meanwhile will do, too. Raises ServiceError when none can be had.
    """
    now, of_batch = services.clock.now(), list(runs)
    if _will_do(connector, modules, now, of_batch):
        return connector
    with services.db.read() as session:
        stored = session.get_one(Connector, connector.id)
    return stored if _will_do(stored, modules, now, of_batch) else _refreshed(services, stored, client)


def _will_do(connector: Connector, modules: Modules, now: datetime, of_batch: Sequence[Run]) -> bool:
    if connector.fields and connector.fields_at is not None and not of_batch:
        return True
    return is_recent(connector, modules, now, begun(of_batch))


def recent(services: Services, connector: Connector, client: MauticClient) -> Connector:
    """Return the connector with a list of fields that is recent; raises ServiceError when none can be had."""
    if is_recent(connector, services.modules(connector), services.clock.now()):
        return connector
    return _refreshed(services, connector, client)


def _refreshed(services: Services, connector: Connector, client: MauticClient) -> Connector:
    """Return the connector with a new list, with the old one when Mautic does not tell."""
    try:
        return refresh(services, connector, client)
    except ServiceError:
        if connector.fields:
            with services.db.read() as session:
                return session.get_one(Connector, connector.id)
        raise


def begun(runs: Iterable[Run]) -> datetime | None:
    """Return when the newest of the runs that read all records was asked for: it is to find fields made since."""
    return max((run.created_at for run in runs if run.kind != RunKind.INCREMENTAL), default=None)


def is_recent(connector: Connector, modules: Modules, now: datetime, since: datetime | None = None) -> bool:
    """Tell whether the list is not from before `since` and younger than an hour, a minute while something is missing:
    a field, or the name of a segment that was chosen since."""
    if not connector.fields or connector.fields_at is None or (since is not None and connector.fields_at < since):
        return False
    missing = any(each.state == "missing" for each in check(needs(modules), fields_from_json(connector.fields)))
    whole = not missing and segment_names.are_asked(connector, modules)
    return now - connector.fields_at < (MAX_AGE if whole else MAX_AGE_INCOMPLETE)


def refresh(services: Services, connector: Connector, client: MauticClient, *, anew: bool = False) -> Connector:
    """Read the fields from Mautic, create missing ones if the settings say so, and store the list.

    It is stored once: another lane that met it half made would leave the values of the missing fields out. `anew` says
    that a person asks: what was learned of the lengths of fields is forgotten.
    """
    modules = Modules.from_json(connector.settings)
    mautic = Fields(client, _made_with(connector, modules))
    found = mautic.read()
    facts = {"version": client.version, segment_names.SEGMENTS: segment_names.read(client, connector, modules)}
    made: list[Made] = []
    try:
        create_missing(mautic, _wanted(modules), found, made)
    except ServiceError:
        store(services, connector, found, facts, made=made, anew=anew)
        raise
    return store(services, connector, found, facts, made=made, anew=anew)


def _wanted(modules: Modules) -> tuple[FieldNeed, ...]:
    """Return the fields that are created at first need, as the modules that write them are set."""
    creating = {name for name in ("orders", "carts") if getattr(modules, name).create_fields}
    return tuple(need for need in needs(modules) if creating.intersection(need.modules))


def _made_with(connector: Connector, modules: Modules) -> dict[str, int]:
    """Return alias -> characters of the fields that were made for the modules; a list of 5.2 does not tell them."""
    made = {need.alias: length(need) for need in needs(modules)}
    stored = fields_from_json(connector.fields).values()
    return {field.alias: field.limit for field in stored if field.limit and made.get(field.alias) == field.limit}


def look(services: Services, connector: Connector, correlation: str = "", max_age: timedelta = MAX_AGE) -> Connector:
    """Return the connector with a field list, for a dry run: what is missing in Mautic is not created."""
    now = services.clock.now()
    if connector.fields and connector.fields_at and now - connector.fields_at < max_age:
        return connector
    client = services.open_mautic(connector, correlation)
    known = _made_with(connector, services.modules(connector))
    return store(services, connector, Fields(client, known).read(), {"version": client.version})


def complete(
    services: Services, connector: Connector, client: MauticClient, *, audit: Audit[Sequence[str]] = unaudited
) -> Sequence[str]:
    """Read the list, create the fields that the modules need and Mautic lacks, and return their aliases.

    `audit` gets them where there are any.
    """
    connector = refresh(services, connector, client)
    found = fields_from_json(connector.fields)
    made: list[Made] = []
    try:
        create_missing(Fields(client), needs(services.modules(connector)), found, made)
    finally:
        aliases = sorted(each.field.alias for each in made)
        if made:
            store(services, connector, found, made=made, audit=lambda session, _: audit(session, aliases))
    return aliases


def create_missing(
    mautic: Fields, wanted: tuple[FieldNeed, ...], found: Mapping[str, MauticField], made: list[Made]
) -> None:
    """Create the missing fields one after another; `made` has those that are there when one of them cannot be."""
    for state in check(wanted, found):
        if state.state == "missing" and not state.need.own:
            made.append(Made(state.need, mautic.create(state.need)))


def learn_limits(session: Session, now: datetime, connector_id: int, told: Sequence[Mapping[str, int]]) -> None:
    """Keep the lengths of fields that Mautic's refusals have told, so that nothing longer is offered for a day.

    Of several lengths of one field the shortest is kept: of an address that was refused only its own length is known,
    and a longer one may be refused beside it. The field list does not tell lengths, and an admin may raise one at any
    time: they are asked for again when the list is read by a person, when a record is sent again (outbox.requeue), and
    after a day.
    """
    learned = _shortest(told)
    if learned:
        row = session.get_one(Connector, connector_id)
        known = row.mautic_facts.get(LIMITS) or {}
        new = {alias: most for alias, most in learned.items() if alias not in known or most < known[alias]["max"]}
        dated = {alias: {"max": most, "at": now.isoformat()} for alias, most in new.items()}
        row.mautic_facts = {**row.mautic_facts, LIMITS: {**known, **dated}}


def _shortest(told: Sequence[Mapping[str, int]]) -> dict[str, int]:
    shortest: dict[str, int] = {}
    for alias, most in (pair for each in told for pair in each.items()):
        shortest[alias] = min(most, shortest.get(alias, most))
    return shortest


def _still_believed(facts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the facts of a Mautic without what was learned of its limits more than a day ago."""
    limits = facts.get(LIMITS) or {}
    young = {alias: one for alias, one in limits.items() if now - datetime.fromisoformat(one["at"]) < LIMIT_AGE_MAX}
    return {**facts, LIMITS: young} if limits else dict(facts)


def store(
    services: Services,
    connector: Connector,
    found: Mapping[str, MauticField],
    told: Mapping[str, Any] | None = None,
    *,
    made: Sequence[Made] = (),
    audit: Audit[Connector] = unaudited,
    anew: bool = False,
) -> Connector:
    """Keep the list with the connector, and what was `told` besides, and return it; fields that were not in the former
    list are marked as new. Those that were `made` now are added to it and stand in the sync log."""
    found = {**found, **{each.field.alias: each.field for each in made}}
    with services.db.write() as session:
        sync_log.record(session, [_entry(connector.id, services.clock.now(), each) for each in made])
        row = session.get_one(Connector, connector.id)
        now = services.clock.now()
        row.fields, row.fields_at = fields_to_json(_dated(found, fields_from_json(row.fields), now)), now
        facts = {**row.mautic_facts, LIMITS: {}} if anew else _still_believed(row.mautic_facts, now)
        row.mautic_facts = facts | {name: value for name, value in (told or {}).items() if value}
        session.flush()
        audit(session, row)
        session.expunge_all()
    return row


def _dated(
    found: Mapping[str, MauticField], before: Mapping[str, MauticField], now: datetime
) -> dict[str, MauticField]:
    if not before:
        return dict(found)
    return {alias: replace(field, since=_since(field, before.get(alias), now)) for alias, field in found.items()}


def _since(field: MauticField, before: MauticField | None, now: datetime) -> str:
    """Return since when the field holds what is written to it: from now on where it is new, made anew or published."""
    same = before is not None and (before.number is None or field.number in (None, before.number))
    if before is None or not same or (field.published and not before.published):
        return now.isoformat()
    return before.since
