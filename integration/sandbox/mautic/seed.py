"""What the demo's Mautic holds at the beginning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.field_definitions import data
from integration.sandbox.mautic.php_format import iso
from integration.sandbox.mautic.state import State

OWNER = {"createdBy": 1, "createdByUser": "Admin User", "modifiedBy": None, "modifiedByUser": None}
EMAILS = (
    ("Order completed", "Your order {order_number} is complete", "Thank you", "has been completed"),
    ("Order refunded", "Your order {order_number} was refunded", "Hello", "has been refunded"),
    ("You left something behind", "Your cart is waiting", "Hello", "is waiting: {cart_url}"),
)
SEGMENTS = (("Customers", "customers"), ("Newsletter", "newsletter"))
Person = tuple[str, str, str, str, str, tuple[str, ...]]
PEOPLE: tuple[Person, ...] = (
    ("Ada", "Lovelace", "ada@example.com", "London", "United Kingdom", ("vip",)),
    ("Grace", "Hopper", "grace@example.com", "New York", "United States", ("newsletter",)),
    ("Konrad", "Zuse", "konrad@example.com", "Berlin", "Germany", ()),
    ("Hedy", "Lamarr", "hedy@example.com", "Wien", "Austria", ("newsletter", "vip")),
)


def seed(state: State) -> None:
    """Fill an empty Mautic: three template e-mails, two segments and four contacts; nothing if there are contacts."""
    with state.lock:
        if state.contacts or state.emails or state.segments:
            return
        for name, alias in SEGMENTS:
            _segment(state, name, alias)
        for email in EMAILS:
            _email(state, *email)
        for months, person in enumerate(reversed(PEOPLE), 1):
            _contact(state, months, person)
        state.changes += 1


def _stamp(state: State) -> dict[str, Any]:
    return {"isPublished": True, "dateAdded": iso(state.now()), "dateModified": None, **OWNER}


def _segment(state: State, name: str, alias: str) -> None:
    number = state.next_id("segments")
    about = {"name": name, "publicName": name, "alias": alias, "description": None, "category": None}
    flags = {"filters": [], "isGlobal": True, "isPreferenceCenter": False}
    state.segments[number] = {**_stamp(state), "id": number, **about, **flags}


def _email(state: State, name: str, subject: str, greeting: str, what: str) -> None:
    number = state.next_id("emails")
    lines = f"<p>{greeting} {{contactfield=firstname}},</p><p>your order {{order_number}} {what}.</p>"
    body = f"<html><body>{lines}</body></html>"
    texts = {"name": name, "subject": subject, "customHtml": body, "emailType": "template", "lists": []}
    state.emails[number] = {**_stamp(state), "id": number, **data("new_email"), **texts}


def _contact(state: State, months: int, person: Person) -> None:
    added = state.now() - timedelta(days=months * 30)
    first, last, email, city, country, tags = person
    values = {"firstname": first, "lastname": last, "email": email, "city": city, "country": country}
    contact = Contact(state.next_id("contacts"), added, values, identified=added)
    contact.created_by, contact.created_by_user = 1, "Admin User"
    contact.tags = [state.tag_id(name) for name in tags]
    if "newsletter" in tags:
        segment = state.segment("newsletter")
        contact.segments = {segment["id"]: iso(added) or ""} if segment else {}
    state.insert(contact)
