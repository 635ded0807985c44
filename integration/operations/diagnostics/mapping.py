"""Mapping diagnostics (E4): one record of each kind is mapped as the pipeline would do it, and nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.errors import MappingError
from integration.errors import ServiceError
from integration.events import Kind
from integration.mapping import contacts
from integration.mapping.emails import fit_email
from integration.mapping.fields import fit
from integration.models.connector import Connector
from integration.modules import Modules
from integration.operations.diagnostics import findings
from integration.operations.diagnostics import samples
from integration.operations.diagnostics.advice import of_error
from integration.operations.diagnostics.findings import FieldFinding
from integration.operations.diagnostics.findings import Record
from integration.operations.diagnostics.findings import State
from integration.pipeline import endings
from integration.pipeline import fieldlist
from integration.pipeline import planning
from integration.pipeline.desk import Desk
from integration.pipeline.follow_up_marks import Done
from integration.pipeline.follow_up_marks import done_before
from integration.pipeline.follow_up_marks import is_done
from integration.pipeline.lines import Line
from integration.pipeline.ports import Ports
from integration.plans import ContactWrite
from integration.plans import FollowUp
from integration.plans import Note
from integration.plans import Plan
from integration.plans import SegmentAdd
from integration.plans import Skip
from integration.records import Customer
from integration.records import Order
from integration.store import parse


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
    """Return the kinds of records whose module is on."""
    on = {Kind.CONTACT: modules.contacts.enabled, Kind.ORDER: modules.orders.enabled}
    return tuple(kind for kind, wanted in on.items() if wanted)


def try_all(ports: Ports, connector: Connector, ids: Mapping[Kind, int] | None = None) -> list[Tried]:
    """Try one record of each enabled kind: the one with the given id, else the newest; errors are in what is returned.

    The store is read over the network, and Mautic where its field list is older than an hour; nothing is sent.
    """
    kinds = enabled(ports.modules(connector))
    try:
        connector = _with_fields(ports, connector)
    except ServiceError as error:
        return [_refused(kind, error) for kind in kinds]
    return [try_one(ports, connector, kind, (ids or {}).get(kind)) for kind in kinds]


def _with_fields(ports: Ports, connector: Connector) -> Connector:
    """Return the connector with Mautic's field list, an old one when no newer can be had."""
    try:
        return fieldlist.look(ports, connector)
    except ServiceError:
        if connector.fields:
            return connector
        raise


def try_one(ports: Ports, connector: Connector, kind: Kind, record_id: int | None = None) -> Tried:
    """Try one record of a connector that has its field list."""
    modules = ports.modules(connector)
    try:
        row = samples.read(ports.open_store(connector), kind, modules, record_id)
        return _tried(ports, connector, kind, samples.line_of(ports, kind, row))
    except ServiceError as error:
        return _refused(kind, error)
    except Exception as error:
        cause = endings.cause_of(error, "The trial")
        return Tried(kind, "failed", cause.sentence, cause.hint, cause.code)


def _refused(kind: Kind, error: ServiceError) -> Tried:
    code, sentence, hint = of_error(error.service, error)
    return Tried(kind, "failed", sentence, hint, code)


def _tried(ports: Ports, connector: Connector, kind: Kind, line: Line) -> Tried:
    (item,) = line.items
    title = f"order {item.object_id}" if kind is Kind.ORDER else f"customer {item.source_id}"
    record: Record = parse.order(item.payload) if kind is Kind.ORDER else parse.customer(item.payload)
    with ports.db.read() as session:
        desk = samples.lay(session, connector, line, record if isinstance(record, Order) else None)
        made = planning.plan_of(item, desk, known=line.subject in desk.links)
        done = _done(session, connector.id, made)
    link = desk.links.get(line.subject)
    contact_id = link.contact_id if link else 0
    if isinstance(made, Skip):
        sentence = f"It would be skipped. {made.sentence}"
        return Tried(kind, "skipped", sentence, code=made.code, title=title, source_id=item.source_id)
    state, sentence, error = _verdict(planning.draw(line, desk))
    return Tried(
        kind,
        state,
        sentence,
        error.hint if error else "",
        error.code if error else "",
        title,
        item.source_id,
        (_email(record, made, desk), *findings.of_fields(record, made, kind, desk.modules, desk.fields)),
        fit(ContactWrite("", {}, made.contact.tags), desk.fields, known=True)[0].tags,
        tuple(_follow_up(act, contact_id, done) for act in made.follow_ups),
    )


def _verdict(drawn: planning.Drawn) -> tuple[str, str, IntegrationError | None]:
    for error in drawn.errors.values():
        return "failed", f"It would fail. {error.sentence}", error
    if drawn.unchanged:
        return "unchanged", "Mautic has confirmed all of this before, so nothing would be sent again.", None
    if drawn.link is not None:
        return "written", f"Mautic's contact {drawn.link.contact_id} would be updated.", None
    return "written", "Mautic would be given this contact, or one with the same address would be updated.", None


def _email(record: Record, plan: Plan, desk: Desk) -> FieldFinding:
    field = desk.fields.get("email")
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


def _follow_up(act: FollowUp, contact_id: int, done: set[Done]) -> str:
    before = is_done(act, contact_id, done)
    if isinstance(act, SegmentAdd):
        was = f"The contact was added to segment {act.segment_id} before, so it would not be added again."
        return was if before else f"The contact would be added to segment {act.segment_id}."
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
