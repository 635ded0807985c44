"""The tags of the store's subscriptions (P44): `{sku}_{status}` for each, the former status' tag goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from integration.identity import visible
from integration.mapping.tags import fit_tags, once, product_tag
from integration.plans import ContactWrite, Plan, Skip
from integration.records import OtherOrder
from integration.settings import Modules, where

#: The statuses that give a tag; "pending" is not paid yet, and "switched" has become another subscription.
STATUSES = ("active", "on-hold", "cancelled", "pending-cancel", "expired")
OFF = Skip("recurring_off", f"Store subscriptions are not synced; switch it on under {where('orders.subscriptions')}.")
NO_EMAIL = Skip("no_email", "The subscription has no billing e-mail; add one to it in the store.")
NO_TAG = Skip("no_status_tag", "A subscription in this status gives no tag, and none has to go.")
REMOVED = Skip("recurring_removed", "The subscription is gone, and no tag of it has to go.")


def plan(
    email: str,
    modules: Modules,
    *,
    standing: Sequence[OtherOrder],
    given: Collection[str],
    of_orders: Collection[str],
    known: bool,
    gone: bool = False,
    locale: str = "",
) -> Plan | Skip:
    """Return the tags of a person's subscriptions, or why nothing is written.

    `standing` are all of them as they are now. Of the tags that subscriptions have `given` those go that none gives any
    more, unless an order gave the same one (`of_orders`). One that is `gone` tells no address: its contact is found by
    its link, so that nothing can be written for who is not `known`.
    """
    if not (modules.orders.enabled and modules.orders.subscriptions):
        return OFF
    if gone and not known:
        return REMOVED
    if not gone and not visible(email):
        return NO_EMAIL
    with_id, name_space = modules.orders.product_id_tags, modules.naming.name_space
    wanted = tags(standing, with_id=with_id, locale=locale, name_space=name_space)
    leaving = tuple(f"-{tag}" for tag in sorted(set(given) - set(fit_tags(wanted)[0]) - set(of_orders)))
    if not wanted and not leaving:
        return REMOVED if gone else NO_TAG
    return Plan(ContactWrite(email.strip(), {}, (*wanted, *leaving)))


def tags(
    standing: Sequence[OtherOrder], *, with_id: bool = False, locale: str = "", name_space: str = ""
) -> tuple[str, ...]:
    """Return the tag of each product of each subscription whose status gives one, each once."""
    counted = [each for each in standing if each.status in STATUSES]
    items = ((item, each.status) for each in counted for item in each.items or ())
    return once(product_tag(item, status, with_id, locale, name_space) for item, status in items)
