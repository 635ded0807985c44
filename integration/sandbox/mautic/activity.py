"""The timeline of a contact (mautic:332)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import dump
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.field_definitions import data
from integration.sandbox.mautic.list_queries import query, whole
from integration.sandbox.mautic.request_body import entries

PAGE = 25
REASONS = {
    1: "Contact unsubscribed from this channel.",
    2: "Contact's address bounced.",
    3: "Contact was manually set as do not contact for this channel.",
}
Event = dict[str, Any]


def register(context: MauticContext) -> None:
    """Add the route."""
    context.route("GET", "/api/contacts/<int:contact_id>/activity", lambda contact_id: _activity(context, contact_id))


def _activity(context: MauticContext, contact_id: int) -> Response:
    asked = query()
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need("lead:leads", "view")
        events = [*_sent(context, contact), *_memberships(contact), *_dnc(contact), *_identified(contact)]
    filters = asked.get("filters")
    wanted, unwanted = _names(filters, "includeEvents"), _names(filters, "excludeEvents")
    chosen = [each for each in events if each["event"] in (wanted or [each["event"]]) and each["event"] not in unwanted]
    limit = whole(asked.get("limit"), PAGE) or PAGE
    number = max(1, whole(asked.get("page"), 1))
    body = {
        "events": _page(chosen, number, limit),
        "filters": {"search": "", "includeEvents": wanted, "excludeEvents": unwanted},
        "order": ["timestamp", "DESC"],
        "types": data("activity_types"),
        "total": len(chosen),
        "page": number,
        "limit": limit,
        "maxPages": float(math.ceil(max(_counts(chosen), default=0) / limit)),
    }
    return context.reply(dump(body))


def _names(filters: Any, name: str) -> list[str]:
    return [str(each) for each in entries(filters.get(name))] if isinstance(filters, dict) else []


def _counts(events: list[Event]) -> Iterable[int]:
    """Return how many events there are of each kind: the limit holds for each (mautic:332, mautic:556)."""
    return Counter(event["event"] for event in events).values()


def _page(events: list[Event], number: int, limit: int) -> list[Event]:
    """Return a page, newest first; the limit holds for each kind of event (mautic:332: nine for a limit of 5)."""
    seen: dict[str, int] = {}
    page = []
    for event in sorted(events, key=lambda each: str(each["timestamp"]), reverse=True):
        place = seen[event["event"]] = seen.get(event["event"], 0) + 1
        if (number - 1) * limit < place <= number * limit:
            page.append(event)
    return page


def _event(kind: str, number: int, label: Any, at: str | None, contact: Contact, details: Any) -> Event:
    return {
        "event": kind,
        "eventId": f"{kind}{number}",
        "eventLabel": label,
        "eventType": data("activity_types")[kind],
        "timestamp": at,
        "contactId": str(contact.id),
        "details": details,
    }


def _sent(context: MauticContext, contact: Contact) -> Iterator[Event]:
    for sent in context.state.sent:
        email = context.state.emails.get(sent["email_id"])
        if sent["contact_id"] != contact.id or email is None:
            continue
        stat = {
            "email_id": str(email["id"]),
            "id": str(sent["id"]),
            "dateSent": sent["sent_at"],
            "subject": email["subject"],
            "email_name": email["name"],
            "isRead": "0",
            "isFailed": "0",
            "viewedInBrowser": "0",
            "retryCount": "0",
            "idHash": sent["hash"],
            "openDetails": [],
            "storedSubject": sent["stored_subject"],
            "timeToRead": False,
        }
        label = {"label": email["name"], "href": f"{context.url()}/email/view/{sent['hash']}", "isExternal": True}
        yield _event("email.sent", sent["id"], label, sent["sent_at"], contact, {"stat": stat, "type": "sent"})


def _memberships(contact: Contact) -> Iterator[Event]:
    for each in contact.history:
        how = "removed from" if each["action"] == "removed" else "added to"
        label = f"Contact {how} segment, {each['name']}"
        details = {"objectDescription": each["name"]}
        yield _event("segment_membership", each["id"], label, each["at"], contact, details)


def _dnc(contact: Contact) -> Iterator[Event]:
    for entry in contact.dnc:
        about = {
            "id": str(entry["id"]),
            "channel": entry["channel"],
            "date_added": entry["dateAdded"],
            "reason": REASONS.get(entry["reason"], ""),
            "comments": entry["comments"],
        }
        label = str(entry["channel"]).title()
        yield _event("lead.donotcontact", entry["id"], label, entry["dateAdded"], contact, {"dnc": about})


def _identified(contact: Contact) -> Iterator[Event]:
    if contact.identified:
        label = f"Contact was identified by {contact.created_by_user}"
        details = {"objectDescription": contact.created_by_user}
        at = php_format.iso(contact.identified)
        yield _event("lead.source.identified", contact.id, label, at, contact, details)
