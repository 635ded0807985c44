"""Merges the plans of one person, so that one write does instead of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from integration.plans import ContactWrite, Plan, Value

T = TypeVar("T")


def merge(plans: Sequence[Plan]) -> Plan:
    """Return one plan of the plans, oldest first: later fields win, tags add up, follow-ups keep their order.

    A plan without an address leaves the others' as it is.
    A later "-x" cancels an earlier "x" and the other way round. Merging is associative.
    Raises ValueError without plans.
    """
    if not plans:
        raise ValueError("There is no plan to merge.")
    fields: dict[str, Value] = {}
    for plan in plans:
        fields.update(plan.contact.fields)
    email = next((plan.contact.email for plan in reversed(plans) if plan.contact.email), "")
    barred = next((each for plan in reversed(plans) if (each := plan.contact.do_not_contact) is not None), None)
    write = ContactWrite(email, fields, _tags(tag for plan in plans for tag in plan.contact.tags), barred)
    return Plan(
        write,
        _once(step for plan in plans for step in plan.follow_ups),
        _once(each for plan in plans for each in plan.adjustments),
    )


def _tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return each tag as the latest plan that names it has it, in that order."""
    last: dict[str, str] = {}
    for tag in tags:
        name = tag.removeprefix("-")
        last.pop(name, None)
        last[name] = tag
    return tuple(last.values())


def _once(items: Iterable[T]) -> tuple[T, ...]:
    """Return the items in their order, equal ones once; they need not be hashable."""
    seen: list[T] = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return tuple(seen)
