"""A person's own mapping rows tried on one real record, saved or not: nothing is sent (P16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from integration import streams
from integration.errors import IntegrationError, MappingError, Rejected, ServiceError
from integration.events import Kind
from integration.mapping import field_map
from integration.mapping.field_map import FieldRow
from integration.mapping.fields import fit
from integration.mapping.formats import text_of
from integration.mapping.made_values import Record
from integration.mapping.own_values import UNKNOWN, Found, Look
from integration.mautic import reading
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.operations.support.diagnostics import samples
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.pipeline.ingest import cart_orders
from integration.pipeline.services import Services
from integration.plans import ContactWrite, MauticField, Value, is_blank
from integration.settings import Modules
from integration.store.access import SERVICE
from integration.streams.cart_payload import lines_of

_SAID: Mapping[str, str] = {
    "value": "The store's value would be sent.",
    "default": "The store has nothing, so the default would be sent.",
    "emptied": "The store has nothing, so the field would be emptied.",
    "blank": "The store has nothing, so Mautic keeps what it has.",
    "condition": "The condition does not hold, so this row is not used.",
    "unread": "The store was not asked for this value, so Mautic keeps what it has.",
}
_USED_ALREADY = "An earlier row fills this field, so this one is not used."


@dataclass(frozen=True, slots=True)
class RowTried:
    """One row on one record: `place` counts from 0, `state` is the kind of its badge (ok, info, warn, bad, muted).

    `store` and `has` are what the store and Mautic have, `sent` what would be sent, None for nothing.
    """

    place: int
    alias: str
    store: str
    sent: Value
    has: str | None
    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RowsTried:
    """What became of the trial: `title` names the record; without rows, why there are none."""

    title: str
    rows: tuple[RowTried, ...] = ()
    problem: IntegrationError | None = None
    #: Why Mautic's own values are not shown, "" when they are.
    unread: str = ""


def try_rows(
    services: Services, connector: Connector, kind: Kind, record_id: int | None, modules: Modules
) -> RowsTried:
    """Try the own rows of a kind on the record with this id, on the newest without one; problems are in the answer."""
    try:
        record, person_key, title = _sample(services, connector, kind, record_id, modules)
    except (ServiceError, MappingError) as error:
        return RowsTried(streams.labels(kind).noun, problem=error)
    fields = fields_from_json(connector.fields or [])
    has, unread = _in_mautic(services, connector, record, person_key)
    places = [place for place, row in enumerate(modules.mapping.rows) if row.kind == kind]
    own = field_map.own(kind, modules)
    return RowsTried(title, tuple(_tried(record, list(zip(places, own, strict=True)), fields, has)), unread=unread)


def _sample(
    services: Services, connector: Connector, kind: Kind, record_id: int | None, modules: Modules
) -> tuple[Record, str, str]:
    noun = streams.labels(kind).noun
    if streams.of(kind).kept_here:
        cart = _cart(services, connector, record_id)
        record: Record = replace(cart_orders.record_of(cart), lines=lines_of(cart.lines or []))
        return record, cart.person_key, f"{noun} {cart.id}"
    row = streams.of(kind).sample(services.open_store(connector, modules=modules), modules, record_id)
    group = samples.group_of(services, kind, row)
    (leased,) = group.deliveries
    return leased.record, group.person_key, f"{noun} {leased.object_id}"


def _cart(services: Services, connector: Connector, record_id: int | None) -> Cart:
    query = select(Cart).where(Cart.connector_id == connector.id).order_by(Cart.id.desc()).limit(1)
    if record_id is not None:
        query = query.where(Cart.id == record_id)
    with services.db.read() as session:
        found = session.scalar(query)
    if found is None:
        what = f"There is no cart {record_id}." if record_id is not None else "There is no cart yet."
        raise Rejected(SERVICE, "gone", what, "Try again when somebody has left one.")
    return found


def _in_mautic(
    services: Services, connector: Connector, record: Record, person_key: str
) -> tuple[Mapping[str, Any] | None, str]:
    """Return what Mautic has of the record's person, None where it has nobody; and why it could not be asked."""
    with services.db.read() as session:
        query = select(ContactLink.contact_id).where(ContactLink.connector_id == connector.id)
        linked = session.scalar(query.where(ContactLink.person_key == person_key))
    try:
        client = services.open_mautic(connector)
        found = list(reading.by_ids(client, [linked]).values()) if linked else []
        found = found or [each for many in reading.by_emails(client, [record.email]).values() for each in many]
    except (ServiceError, MappingError) as error:
        return None, error.sentence
    return (_values(found[0]) if found else None), ""


def _values(contact: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = contact.get("fields")
    known = fields.get("all") if isinstance(fields, Mapping) else None
    return known if isinstance(known, Mapping) else {}


def _tried(
    record: Record,
    rows: Sequence[tuple[int, FieldRow]],
    fields: Mapping[str, MauticField],
    has: Mapping[str, Any] | None,
) -> list[RowTried]:
    look = Look(record)
    decided: set[str] = set()
    made = []
    for place, row in rows:
        found = look.at(row)
        now = None if has is None else text_of(has.get(row.alias))
        if found.applies and row.alias in decided:
            made.append(RowTried(place, row.alias, _store(found), None, now, "muted", _USED_ALREADY))
            continue
        decided |= {row.alias} if found.applies else set()
        made.append(_one(place, row, found, fields, now))
    return made


def _one(place: int, row: FieldRow, found: Found, fields: Mapping[str, MauticField], now: str | None) -> RowTried:
    store = _store(found)
    if found.adjustment is not None:
        return RowTried(place, row.alias, store, None, now, "bad", found.adjustment.sentence)
    if found.written is None:
        return RowTried(place, row.alias, store, None, now, "muted", _SAID[found.how])
    write, said = fit(ContactWrite("", {row.alias: found.written}), fields, known=True)
    sent = write.fields.get(row.alias)
    words = " ".join(each.sentence for each in said) or _SAID[found.how]
    if any(each.kind == "shortened" for each in said):
        return RowTried(place, row.alias, store, sent, now, "warn", words)
    lost = is_blank(sent) and not is_blank(found.written)
    state = "bad" if lost else "info" if said or found.how != "value" else "ok"
    return RowTried(place, row.alias, store, sent, now, state, words)


def _store(found: Found) -> str:
    return "" if found.store is UNKNOWN else text_of(found.store)
