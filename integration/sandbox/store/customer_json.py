"""An account as the API shows it."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import documents, rest_format
from integration.sandbox.store.addresses import avatar
from integration.sandbox.store.people import Person
from integration.sandbox.store.state import State
from integration.sandbox.store.times import gmt, local


def show(state: State, person: Person, root: str) -> dict[str, Any]:
    """Return the account as `GET /customers/{id}` does; date_modified is null until the first change."""
    document = documents.of_person(person)
    allow = rest_format.EVERY_VERB if person.role == "customer" else rest_format.EVERY_VERB[:-1]
    return {
        "id": person.id,
        "date_created": local(person.created, state.zone),
        "date_created_gmt": gmt(person.created),
        "date_modified": local(person.modified, state.zone),
        "date_modified_gmt": gmt(person.modified),
        "email": person.email,
        "first_name": document["first_name"],
        "last_name": document["last_name"],
        "role": person.role,
        "username": document["username"],
        "billing": document["billing"],
        "shipping": document["shipping"],
        "is_paying_customer": document["is_paying_customer"],
        "avatar_url": avatar(person.email),
        "meta_data": document["meta_data"],
        "_links": rest_format.links(root, "/wc/v3/customers", person.id, allow),
    }
