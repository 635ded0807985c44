"""The phases of a reconciliation: which follows which, what each needs, and what is said of it in the log."""

from __future__ import annotations

from integration.operations.reconciliation.findings import Step
from integration.words import counted

PHASES = ("ledger", "customers", "buyers", "links", "strangers")
DONE = "done"
FOLLOWING = dict(zip(PHASES, (*PHASES[1:], DONE), strict=True))
#: Phase -> what is said of it in the log when it has ended.
_DONE = {
    "ledger": "The list of orders was read.",
    "customers": "All customers were compared.",
    "buyers": "All people who ordered without an account were compared.",
    "links": "Contacts whose person the store no longer has were looked for.",
    "strangers": "Other contacts with our fields were looked for.",
}
#: What is said instead where customers could not be read.
_ORDERS_ONLY = {
    "buyers": "All people who ordered were compared by their orders; customers without an order were not.",
    "links": "Contacts whose orders are all gone were compared; nobody is called gone who may be a customer.",
}
#: Phase -> the lists without which it tells nothing true, and what is said instead.
NEEDS = {
    "buyers": ({"ledger"}, "People who ordered were not compared."),
    "links": ({"ledger"}, "Contacts whose person the store no longer has were not looked for."),
    "strangers": ({"ledger", "customers"}, "Other contacts with our fields were not looked for."),
}


def ended(phase: str, *, refused: bool) -> str:
    """Return what is said of a phase that has ended; `refused` tells whether a list of the store was."""
    return _ORDERS_ONLY.get(phase, _DONE[phase]) if refused else _DONE[phase]


def page_said(step: Step, new: int) -> str:
    """Return the line of a page on which people were looked at, "" for any other."""
    people = counted(step.checked, "person", "people")
    differences = counted(new, "difference") if new else "nothing differs"
    return f"Looked at {people}: {differences}." if step.checked else ""
