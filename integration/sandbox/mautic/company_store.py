"""Companies as they are kept, and the contacts in them."""

from __future__ import annotations

from typing import Any

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.state import State


def attach_by_name(state: State, contact: Contact, name: str) -> None:
    """Put a contact into the company of that name, making it if need be (mautic:338)."""
    known = next((row for row in state.companies.values() if row["companyname"] == name), None)
    company = known or add_company(state, {"companyname": name})
    if company["id"] not in contact.companies:
        contact.companies.append(company["id"])


def add_company(state: State, values: dict[str, Any]) -> dict[str, Any]:
    """Add a company; `values` maps aliases of company fields to texts."""
    row = {"id": state.next_id("companies"), "added": php_format.sql(state.now()), **values}
    state.companies[row["id"]] = row
    state.changes += 1
    return row
