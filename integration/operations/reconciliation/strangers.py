"""Contacts of Mautic that bear our fields and that no link leads to: whoever is linked is left out of the question.

Nearly all contacts with our fields are linked, so that asking for the others brings little: a shop of 20,000 people
would have Mautic show 200 MB otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.mapping import aliases
from integration.mautic.client import MauticClient
from integration.mautic.paging import number_of
from integration.mautic.search import entries
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink

#: Contacts shown in one answer.
AT_ONCE = 100
#: Linked contacts that one question leaves out: with ids of eight digits that is half of what a line may have.
LINKED_AT_ONCE = 300


@dataclass(frozen=True, slots=True)
class Stretch:
    """The ids above `after` and, where more linked contacts follow, up to the last of these `linked` ones."""

    after: int
    linked: Sequence[int]
    is_last: bool

    def place(self, rows: Sequence[dict[str, Any]]) -> int:
        """Return after which id to go on when these contacts were shown."""
        return max(map(number_of, rows)) if rows else self.linked[-1]


def alias_of(connector: Connector, name_space: str) -> str | None:
    """Return the field by which a contact is known to bear ours, None while Mautic has none."""
    wanted = aliases.spaced(aliases.ORDER_COUNT, name_space)
    return aliases.actual(wanted, {field["alias"] for field in connector.fields})


def stretch(session: Session, connector_id: int, after: int) -> Stretch:
    """Return the next stretch of contact ids."""
    mine = (ContactLink.connector_id == connector_id, ContactLink.contact_id > after)
    query = select(ContactLink.contact_id).where(*mine).order_by(ContactLink.contact_id).limit(LINKED_AT_ONCE)
    linked = session.scalars(query).all()
    return Stretch(after, linked, len(linked) < LINKED_AT_ONCE)


def read(client: MauticClient, alias: str, wanted: Stretch) -> list[dict[str, Any]]:
    """Return the first contacts of a stretch that have the field and are not linked (mautic:515, mautic:524).

    What a condition that was not heeded brings too is for the caller to leave out, but for ids that were passed.
    """
    conditions: list[dict[str, Any]] = [
        {"col": alias, "expr": "isNotNull"},
        {"col": "id", "expr": "gt", "val": wanted.after},
    ]
    if wanted.linked:
        conditions.append({"col": "id", "expr": "notIn", "val": ",".join(map(str, wanted.linked))})
    if not wanted.is_last:
        conditions.append({"col": "id", "expr": "lte", "val": wanted.linked[-1]})
    where = {f"where[{number}][{name}]": said for number, each in enumerate(conditions) for name, said in each.items()}
    params = {**where, "orderBy": "id", "orderByDir": "asc", "limit": AT_ONCE, "minimal": 1}
    rows = entries(client.get("contacts", params), "contacts")
    # A Mautic that did not heed the condition would give the same page for ever.
    return [row for row in rows if number_of(row) > wanted.after]
