"""Rows for the batch writer, the contacts that Mautic answers with, and receipts in short."""

from __future__ import annotations

from typing import Any

import pytest

from integration.mautic.contacts import ContactWriter
from integration.mautic.results import ContactRow, Interrupted
from integration.plans import ContactWrite
from tests.mautic.script import Canned, canned


def row(email: str, mautic_id: int | None = None, tags: tuple[str, ...] = (), **fields: Any) -> ContactRow:
    return ContactRow(email, ContactWrite(email, fields, tags), mautic_id)


def contact(number: int, email: str) -> dict[str, Any]:
    return {"id": number, "fields": {"all": {"id": number, "email": email}}}


def written(*contacts: dict[str, Any], code: int = 201) -> Canned:
    return canned({"contacts": [*contacts], "statusCodes": [code] * len(contacts)}, 201)


def found(*contacts: dict[str, Any]) -> Canned:
    return canned({"total": str(len(contacts)), "contacts": {str(each["id"]): each for each in contacts}})


def brief(receipts: Any) -> list[tuple[str, int | None, str]]:
    return [(each.outcome, each.mautic_id, each.error.code if each.error else "") for each in receipts]


def interrupted(writer: ContactWriter, rows: list[ContactRow]) -> Interrupted:
    with pytest.raises(Interrupted) as told:
        writer.upsert(rows)
    return told.value
