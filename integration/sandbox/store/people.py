"""Accounts: what lists sort by, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integration.sandbox.store import wire
from integration.sandbox.store.addresses import avatar
from integration.sandbox.store.times import gmt, local

if TYPE_CHECKING:
    from integration.sandbox.store.state import State


class Person:
    """One account: id, dates, e-mail, name to sort by, role, and its document or the number it is made from."""

    __slots__ = ("created", "document", "email", "id", "modified", "name", "recipe", "role")

    def __init__(self, id: int, created: int, email: str, name: str, **more: Any) -> None:
        self.id = id
        self.created = created
        self.email = email
        self.name = name
        self.modified: int | None = more.get("modified")
        self.role: str = more.get("role", "customer")
        self.recipe: int | None = more.get("recipe")
        self.document: dict[str, Any] | None = more.get("document")

    def dump(self) -> list[Any]:
        """Return the account as a JSON list in the order of __slots__."""
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def load(cls, saved: list[Any]) -> Person:
        """Make an account from what dump() gave."""
        person = cls.__new__(cls)
        for name, value in zip(cls.__slots__, saved, strict=True):
            setattr(person, name, value)
        return person


def show(state: State, person: Person, root: str) -> dict[str, Any]:
    """Return the account as `GET /customers/{id}` does; date_modified is null until the first change."""
    document = state.person_document(person)
    allow = wire.EVERY_VERB if person.role == "customer" else wire.EVERY_VERB[:-1]
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
        "_links": wire.links(root, "/wc/v3/customers", person.id, allow),
    }
