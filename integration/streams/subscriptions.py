"""Subscriptions: contacts that come from the subscribe form and not from the store, kept by us."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integration.errors import MappingError
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.mapping import subscriptions
from integration.mapping.consent import FORM, Consent
from integration.plans import Plan, Skip
from integration.records import Subscriber
from integration.settings import where
from integration.streams.base import Explanation, Payload, PlanContext, Sighted

KIND = Kind.CONTACT
#: Subscribed and to be confirmed by the link of an e-mail; subscribed for good.
ASKED, SUBSCRIBED = "asked", "subscribed"
#: Names of the records; each event has one of its own, since a newer snapshot of a contact takes the place of one that
#: waits, and a confirmation must not go lost in the e-mail that asks for it.
_NAMES: Mapping[str, str] = {ASKED: "confirmation-{}", SUBSCRIBED: "subscription-{}"}
_NAME = re.compile(r"(?:confirmation|subscription)-([1-9][0-9]{0,17})", re.ASCII)
SKIP_REASONS: Mapping[str, Explanation] = {
    subscriptions.NO_LINK.code: Explanation(
        "No e-mail is chosen that carries the confirmation link.", where("subscribe.email"), "subscriptions"
    )
}


def names(number: int) -> tuple[str, ...]:
    """Return the source ids of all records of a subscription."""
    return tuple(name.format(number) for name in _NAMES.values())


def number_of(source_id: str) -> int | None:
    """Return the id of the subscription that a record is of, None for a customer of the store."""
    found = _NAME.fullmatch(source_id)
    return int(found[1]) if found else None


def is_one(payload: Payload) -> bool:
    """Tell whether a payload is a subscription's."""
    return number_of(str(payload.get("id") or "")) is not None


def change_of(subscriber: Subscriber, event: str, at: datetime) -> Change:
    """Return the change of who has subscribed at `at`, or has yet to confirm it; it goes out before history."""
    name = _NAMES[event].format(subscriber.id)
    return Change(
        kind=KIND,
        source_id=name,
        event=event,
        person_key=person_key_of(subscriber.email),
        payload=_payload(subscriber, name),
        seen_at=at,
        origin=Origin.FORM,
        modified_at=at,
    )


def parse(payload: Payload) -> Subscriber:
    """Return the subscriber of a payload; raises MappingError (no_id)."""
    number = number_of(str(payload.get("id") or ""))
    if number is None:
        raise MappingError("no_id", "This is no subscription.", "Let the person subscribe again.")
    return Subscriber(
        id=number,
        email=_text(payload, "email"),
        first_name=_text(payload, "first_name"),
        last_name=_text(payload, "last_name"),
        confirmation_url=_text(payload, "confirmation_url"),
        confirmed=payload.get("confirmed") is True,
    )


def change(payload: Payload, origin: Origin, seen_at: datetime) -> Change:
    """Return the change that a payload stands for; raises MappingError (no_id)."""
    subscriber = parse(payload)
    return change_of(subscriber, ASKED if subscriber.confirmation_url else SUBSCRIBED, seen_at)


def plan(delivery: Sighted, context: PlanContext) -> Plan | Skip:
    """Return what to write for somebody who has subscribed, or has yet to confirm it.

    Whether the form is on by now makes no difference: they agreed when it was.
    """
    subscriber: Subscriber = delivery.record
    if delivery.event == ASKED:
        return subscriptions.asked(subscriber, context.modules)
    return subscriptions.subscribed(subscriber, context.modules, known=context.known)


def consents(delivery: Sighted, known: Sequence[Consent]) -> Sequence[Consent] | None:
    """Return that who has subscribed has said it all in the form, so that our own Do Not Contact goes; else None.

    What the ledger does not have, since it is not confirmed or is older than the ledger, asks for nothing.
    """
    number = str(number_of(delivery.source_id))
    kept = any(each.source == FORM and each.ref == number for each in known)
    return () if delivery.event == SUBSCRIBED and kept else None


def _text(payload: Payload, name: str) -> str:
    return str(payload.get(name) or "")


def _payload(subscriber: Subscriber, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "email": subscriber.email,
        "first_name": subscriber.first_name,
        "last_name": subscriber.last_name,
        "confirmation_url": subscriber.confirmation_url,
        "confirmed": subscriber.confirmed,
    }
