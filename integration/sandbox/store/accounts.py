"""What happens to accounts: opening, changing and closing them."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import documents, order_building
from integration.sandbox.store.addresses import ACCOUNT_PARTS, account_email, account_name, blank, fill
from integration.sandbox.store.people import Person
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.state import State


def register(state: State, fields: dict[str, Any]) -> Person:
    """Open an account; raises Refused when the e-mail has one in any case (woo:161)."""
    email = str(fields.get("email") or "")
    _check_free(state, email)
    now = state.now()
    first, last = account_name(str(fields.get("first_name", ""))), account_name(str(fields.get("last_name", "")))
    person = Person(state.next_id("user"), now, email, f"{first} {last}".strip(), modified=now)
    person.role = str(fields.get("role") or "customer")
    person.document = {
        "first_name": first,
        "last_name": last,
        "username": str(fields.get("username") or email.partition("@")[0]),
        "billing": fill(blank(ACCOUNT_PARTS, True), fields.get("billing")),
        "shipping": fill(blank(ACCOUNT_PARTS, False), fields.get("shipping")),
        "is_paying_customer": False,
        "meta_data": order_building.meta(state, [], fields.get("meta_data")),
    }
    state.people[person.id] = person
    state.changed("customer.created", person.id)
    state.changed("customer.updated", person.id)
    return person


def _check_free(state: State, email: str, but: int = 0) -> None:
    wanted = email.lower()
    if any(person.email.lower() == wanted and person.id != but for person in state.people.values()):
        text = f"An account is already registered with {email}. Please log in or use a different email address."
        raise Refused(400, "registration-error-email-exists", text)


def edit(state: State, person: Person, fields: dict[str, Any]) -> Person:
    """Change an account; raises Refused when the new e-mail belongs to another."""
    document = documents.own_of_person(person)
    if "email" in fields:
        _check_free(state, str(fields["email"]), person.id)
        person.email = account_email(str(fields["email"]))
    for name in (name for name in ("first_name", "last_name") if name in fields):
        document[name] = account_name(str(fields[name]))
    for block in ("billing", "shipping"):
        document[block] = fill(document[block], fields.get(block))
    document["meta_data"] = order_building.meta(state, document["meta_data"], fields.get("meta_data"))
    touch(state, person)
    return person


def touch(state: State, person: Person) -> None:
    """Move an account's time of change and send customer.updated."""
    person.modified = state.now()
    state.changed("customer.updated", person.id)


def delete(state: State, person: Person) -> None:
    """Close an account; customer.deleted is sent for customers only."""
    del state.people[person.id]
    state.changed("customer.deleted" if person.role == "customer" else "", person.id)
