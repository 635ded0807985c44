"""An account as it is kept: what lists sort by, and the rest."""

from __future__ import annotations

from typing import Any


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
