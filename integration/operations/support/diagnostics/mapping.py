"""Mapping diagnostics (E4): one record of each kind is mapped as the pipeline would do it, and nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from integration import streams
from integration.errors import IntegrationError, MappingError, ServiceError
from integration.events import Kind
from integration.mapping import contacts
from integration.mapping.emails import fit_email
from integration.mapping.field_values import Record
from integration.mapping.fields import fit
from integration.models.connector import Connector
from integration.operations.support.diagnostics import findings, samples
from integration.operations.support.diagnostics.advice import of_error
from integration.operations.support.diagnostics.findings import FieldFinding, State
from integration.pipeline.connectors import field_list, segment_names
from integration.pipeline.delivery import planning
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.follow_up_marks import Done, done_before, is_done
from integration.pipeline.delivery.groups import DeliveryGroup
from integration.pipeline.delivery.person_context import PersonContext
from integration.pipeline.leases import endings
from integration.pipeline.services import Services
from integration.plans import ContactWrite, DeleteContact, FollowUp, Note, Plan, SegmentAdd, SegmentRemove, Skip
from integration.records import Customer, Order
from integration.settings import Modules


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of one record: a verdict, and for what would be sent each field, tag and follow-up.

    `state` is written, unchanged, skipped or failed; `title` names the record, "" when there was none.
    """

    kind: Kind
    state: str
    sentence: str
    hint: str = ""
    code: str = ""
    title: str = ""
    source_id: str = ""
    fields: tuple[FieldFinding, ...] = ()
    tags: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many fields are in each state, those that occur only."""
        states = [finding.state for finding in self.fields]
        return {state.value: states.count(state) for state in State if state in states}


def as_dict(tried: Tried) -> dict[str, Any]:
    """Return what was found as JSON-ready values."""
    return asdict(tried)


def enabled(modules: Modules) -> tuple[Kind, ...]:
    """Return the kinds of records that can be tried and whose module is on."""
    return tuple(kind for kind in _readable() if streams.of(kind).is_enabled(modules))


def kinds() -> tuple[Kind, ...]:
    """Return the kinds of records that every store has, and of which one can be chosen to try the mapping on."""
    return tuple(kind for kind in _readable() if not streams.of(kind).optional)


def _readable() -> tuple[Kind, ...]:
    return tuple(kind for kind, stream in reversed(streams.STREAMS.items()) if not stream.kept_here)


def try_all(services: Services, connector: Connector, ids: Mapping[Kind, int] | None = None) -> list[Tried]:
    """Try one record of each enabled kind: the one with the given id, else the newest; errors are in what is returned.

    The store is read over the network, and Mautic where its field list is older than an hour; nothing is sent.
    """
    kinds = enabled(services.modules(connector))
    try:
        connector = _with_fields(services, connector)
    except ServiceError as error:
        return [_refused(kind, error) for kind in kinds]
    return [try_one(services, connector, kind, (ids or {}).get(kind)) for kind in kinds]


def _with_fields(services: Services, connector: Connector) -> Connector:
    """Return the connector with Mautic's field list, an old one when no newer can be had."""
    try:
        return field_list.look(services, connector)
    except ServiceError:
        if connector.fields:
            return connector
        raise


def try_one(
    services: Services, connector: Connector, kind: Kind, record_id: int | None = None, modules: Modules | None = None
) -> Tried:
    """Try one record of a connector that has its field list; `modules` are settings that are not saved yet."""
    modules = modules or services.modules(connector)
    try:
        row = streams.of(kind).sample(services.open_store(connector, modules=modules), modules, record_id)
        return _tried(services, connector, samples.group_of(services, kind, row), modules)
    except ServiceError as error:
        return _refused(kind, error)
    except Exception as error:
        cause = endings.cause_of(error, "The trial")
        return Tried(kind, "failed", cause.sentence, cause.hint, cause.code)


def _refused(kind: Kind, error: ServiceError) -> Tried:
    code, sentence, hint = of_error(error.service, error)
    return Tried(kind, "failed", sentence, hint, code)


def _tried(services: Services, connector: Connector, group: DeliveryGroup, modules: Modules) -> Tried:
    (leased,) = group.deliveries
    kind = leased.kind
    title = f"{streams.labels(kind).noun.lower()} {leased.object_id}"
    record: Record = leased.record
    with services.db.read() as session:
        order = record if streams.of(kind).in_ledger and isinstance(record, Order) else None
        context = samples.lay(session, connector, group, order, modules)
        made = planning.plan_of(leased, PersonContext.of(context, group, known=group.person_key in context.links))
        done = _done(session, connector.id, made)
    link = context.links.get(group.person_key)
    contact_id = link.contact_id if link else 0
    if isinstance(made, Skip):
        sentence = f"It would be skipped. {made.sentence}"
        return Tried(kind, "skipped", sentence, code=made.code, title=title, source_id=leased.source_id)
    state, sentence, error = _verdict(planning.plan_group(group, context))
    return Tried(
        kind,
        state,
        sentence,
        error.hint if error else "",
        error.code if error else "",
        title,
        leased.source_id,
        (_email(record, made, context), *findings.of_fields(record, made, kind, context.modules, context.fields)),
        fit(ContactWrite("", {}, made.contact.tags), context.fields, known=True)[0].tags,
        tuple(_follow_up(act, contact_id, done, context) for act in made.follow_ups),
    )


def _verdict(planned: planning.PersonPlan) -> tuple[str, str, IntegrationError | None]:
    for error in planned.errors.values():
        return "failed", f"It would fail. {error.sentence}", error
    if planned.unchanged:
        return "unchanged", "Mautic has confirmed all of this before, so nothing would be sent again.", None
    if planned.link is not None:
        return "written", f"Mautic's contact {planned.link.contact_id} would be updated.", None
    return "written", "Mautic would be given this contact, or one with the same address would be updated.", None


def _email(record: Record, plan: Plan, context: BatchContext) -> FieldFinding:
    field = context.fields.get("email")
    label = field.label if field and field.label else "Email"
    typed = plan.contact.email
    try:
        sent, said = fit_email(typed, field)
    except MappingError as error:
        state = State.INVALID if typed else State.MISSING
        return FieldFinding("email", label, state, typed, None, str(error))
    if said:
        return FieldFinding("email", label, State.PRESENT, typed, sent, said[0].sentence)
    if isinstance(record, Customer) and contacts.email_of(record) != record.email.strip():
        sentence = "The account's address is empty or damaged, so the billing address' one would be sent."
        return FieldFinding("email", label, State.DEFAULT_USED, typed, sent, sentence)
    return FieldFinding("email", label, State.PRESENT, typed, sent, findings.MEANINGS[State.PRESENT])


def _done(session: Session, connector_id: int, made: Plan | Skip) -> set[Done]:
    return done_before(session, connector_id, made.follow_ups) if isinstance(made, Plan) else set()


def _follow_up(act: FollowUp, contact_id: int, done: set[Done], context: BatchContext) -> str:
    before = is_done(act, contact_id, done)
    if isinstance(act, SegmentAdd):
        segment = segment_names.called(segment_names.known(context.connector), act.segment_id)
        was = f"The contact was added to segment {segment} before, so it would not be added again."
        return was if before else f"The contact would be added to segment {segment}."
    if isinstance(act, SegmentRemove):
        return f"The contact would be taken out of segment {act.segment_id}."
    if isinstance(act, DeleteContact):
        return "The contact would be deleted in Mautic, unless something else of the connector holds it."
    what = "A note" if isinstance(act, Note) else f"The e-mail {act.email_id}"
    if before:
        return f"{what} for the status “{act.status}” was sent before, so it would not go again."
    return f"{what} for the status “{act.status}” would be sent."


def problems(tried: Sequence[Tried]) -> int:
    """Return how many fields would not arrive whole, and how many records would fail."""
    bad = (State.INVALID, State.SHORTENED, State.UNKNOWN_IN_MAUTIC)
    return sum(finding.state in bad for one in tried for finding in one.fields) + sum(
        one.state == "failed" for one in tried
    )
