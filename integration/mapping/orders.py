"""An order as a plan for its buyer (P30 to P41)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from integration.errors import MappingError
from integration.events import Kind
from integration.identity import visible
from integration.mapping import field_map, follow_ups, lifetime as lifetimes
from integration.mapping.field_values import person_values, unread
from integration.mapping.order_data import order_data
from integration.mapping.own_values import OwnValues, own_values, untouched
from integration.mapping.tags import (
    UNDONE,
    category_tags,
    former_tags,
    once,
    product_tag,
    product_tags,
    typed_tags,
    undone_tags,
)
from integration.plans import Adjustment, ContactWrite, Lifetime, Plan, Skip, Value
from integration.records import Order, OtherOrder
from integration.settings import Modules, OrderModule, where

DRAFTS = ("checkout-draft", "auto-draft", "draft")

MODULE_OFF = Skip("module_off", "Order Sync is switched off; switch it on under Order Sync.")
DRAFT = Skip("draft", "The order is a draft; it is synced once it is placed.")
NO_EMAIL = Skip("no_email", "The order has no billing e-mail; add one to the order in the store.")
SKU_FILTER = Skip(
    "sku_filter",
    f"No product's SKU contains a text that is looked for; change them under {where('orders.sku_filter')}.",
)
REMOVED = Skip("removed", "The order was deleted or trashed in the store, and nothing of it has to change in Mautic.")

MOVED = Skip("moved", "The order has another e-mail address now, and nothing has to change at its former one.")


@dataclass(frozen=True, slots=True)
class Shop:
    """What the store tells of itself: its own number of decimals (None if not told), WordPress's locale ("de_DE")."""

    decimals: int | None = None
    locale: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The person's other orders, none of them gone, and the tags of orders that we have given the person."""

    others: Sequence[OtherOrder] = ()
    given: Collection[str] = ()


def plan(
    order: Order,
    modules: Modules,
    *,
    lifetime: Lifetime | None,
    latest: bool,
    known: bool,
    seen: follow_ups.Sighting,
    since: str = "",
    shop_currency: str = "",
    shop: Shop = Shop(),
    history: History = History(),
    categories: Sequence[str] = (),
    named: bool | None = None,
    data_left: str | None = None,
) -> Plan | Skip:
    """Return what to write for an order in its status, or why nothing is.

    `lifetime` sums the person's paid orders, this one included. `latest` says that no newer synced order of the person
    is known: only then the order data are written; `named` that name and address are taken from this order, whatever
    its status, None for those of the latest one. `data_left` is the order data of the person without this order, "" for
    none, None when they stay as they are. `known` says that the person is in Mautic by us. `seen` says what may follow
    (P39, P40). `since` is the status in which the order was seen after this one, "" when it was not: what that one said
    of the completed tag stays. `categories` are the slugs of its products' categories. An order without a currency has
    the shop's. Raises MappingError (order_unnamed) for an order without status.
    """
    module, space = modules.orders, modules.naming.name_space
    order = replace(order, currency=order.currency or shop_currency)
    decimals = shop.decimals if order.currency == shop_currency else None
    skip = _unfit(order, module)
    if skip is not None:
        return skip
    if order.status == "trash":
        return removal(
            order.email, modules, lifetime=lifetime, known=known, shop_currency=shop_currency, data_left=data_left
        )
    synced = order.status in module.statuses
    named = latest and synced if named is None else named
    fields, adjustments = person_values(order, Kind.ORDER, modules) if named else ({}, ())
    if not synced:
        fields = untouched(fields, Kind.ORDER, modules)
        undone = _undone(order, module, since, shop, history, space)
        kept = _corrections(order, modules, lifetime, shop_currency, undone, data_left)
        return _unsynced(order, kept, fields, adjustments) if known else _not_synced(order)
    data = _data(modules, order_data(order, decimals) if latest else None)
    values, said = _values(modules, lifetime, shop_currency)
    # What own rows say of a person is what the newest order says, as the order data are.
    own = own_values(order, Kind.ORDER, modules) if latest else OwnValues()
    fields = own.over(fields if latest else untouched(fields, Kind.ORDER, modules))
    tagged = tags(order, module, since, shop, history, categories, space)
    write = ContactWrite(order.email, {**fields, **data, **values}, tagged)
    steps, withheld = follow_ups.steps(order, module, seen, decimals, space), follow_ups.withheld(order, module, seen)
    return Plan(write, steps, (*own.left(adjustments), *said, *own.adjustments, *unread(order)), withheld)


def removal(
    email: str,
    modules: Modules,
    *,
    lifetime: Lifetime | None,
    known: bool,
    shop_currency: str = "",
    data_left: str | None = None,
) -> Plan | Skip:
    """Return a plan with what is left without an order that was deleted, trashed or given to somebody else.

    These are the lifetime values and, where they change (`data_left` as in `plan`), the data of the latest order.
    Without an address the contact is found by its link alone, so `known` must be true then.
    """
    if not modules.orders.enabled:
        return MODULE_OFF
    values, adjustments = _values(modules, lifetime if known else None, shop_currency)
    values |= _data(modules, data_left) if known else {}
    if not values or not (known or email.strip()):
        return REMOVED
    return Plan(ContactWrite(email.strip(), values), adjustments=adjustments)


def tags(
    order: Order,
    module: OrderModule,
    since: str = "",
    shop: Shop = Shop(),
    history: History = History(),
    categories: Sequence[str] = (),
    name_space: str = "",
) -> tuple[str, ...]:
    """Return the tags of a synced order: products with status, their categories, general ones, and "-x" (P33-P37).

    "-x" is for what is undone. A tag that we gave in another spelling goes when its new spelling comes; that of a
    category stays whatever becomes of the order.
    """
    undone_since = module.remove_completed_tag and order.status == "completed" and since in UNDONE
    adds = module.product_tags and not undone_since
    products = product_tags(order, module.product_id_tags, shop.locale, name_space) if adds else ()
    of_categories = category_tags(categories, shop.locale, name_space) if module.category_tags else ()
    added = (*products, *of_categories, *typed_tags(module.general_tags, name_space))
    spelt = respelt(order, order.status, module, shop, history, name_space) if adds else ()
    gone = (*_undone(order, module, since, shop, history, name_space), *spelt)
    return once((*added, *(tag for tag in gone if tag.removeprefix("-") not in added)))


def _undone(
    order: Order, module: OrderModule, since: str, shop: Shop, history: History, name_space: str
) -> tuple[str, ...]:
    """Return the completed tags that are to go (P37).

    None goes when the order was seen in good order since, or when another completed order holds the product. One whose
    lines are not known yet may hold it, and taking a tag away that is deserved harms more than leaving one.
    """
    fine_since = bool(since) and since not in UNDONE
    completed = [other.items for other in history.others if other.status == "completed"]
    if not module.remove_completed_tag or fine_since or order.status not in UNDONE or None in completed:
        return ()
    how = (module.product_id_tags, shop.locale, name_space)
    held = {product_tag(item, "completed", *how) for items in completed for item in items or ()}
    tags = (*undone_tags(order, *how), *respelt(order, "completed", module, shop, history, name_space))
    return tuple(tag for tag in tags if tag.removeprefix("-") not in held)


def respelt(
    order: Order, status: str, module: OrderModule, shop: Shop, history: History, name_space: str
) -> tuple[str, ...]:
    """Return "-tag" for the tags that we gave the order's products in another spelling, unless they are others' own."""
    how = (module.product_id_tags, shop.locale, name_space)
    former = once(tag for item in order.items for tag in former_tags(item, status, *how))
    given = [tag for tag in former if tag in history.given]
    if not given:
        return ()
    items = [*order.items, *(item for other in history.others for item in other.items or ())]
    own = {product_tag(item, status, *how) for item in items}
    return tuple(f"-{tag}" for tag in given if tag not in own)


def _unfit(order: Order, module: OrderModule) -> Skip | None:
    if not module.enabled:
        return MODULE_OFF
    if not order.status:
        raise MappingError(
            "order_unnamed", f"Order {order.source_id} has no status.", "Save the order in the store again."
        )
    if order.status in DRAFTS:
        return DRAFT
    if not visible(order.email):
        return NO_EMAIL
    return None if sells([item.sku for item in order.items], module.sku_filter) else SKU_FILTER


def sells(skus: Iterable[str], texts: Iterable[str]) -> bool:
    """Tell whether an order's SKU contains one of the texts; no text means every order (P41)."""
    wanted = [text.strip().casefold() for text in texts if text.strip()]
    return not wanted or any(text in sku.casefold() for sku in skus for text in wanted)


def _corrections(
    order: Order,
    modules: Modules,
    lifetime: Lifetime | None,
    shop_currency: str,
    undone: tuple[str, ...],
    data_left: str | None,
) -> Plan:
    """Correct what an earlier status wrote: lifetime values, order data, the completed tag that is to go (P37)."""
    values, adjustments = _values(modules, lifetime, shop_currency)
    write = ContactWrite(order.email, values | _data(modules, data_left), undone)
    return Plan(write, adjustments=adjustments)


def _data(modules: Modules, data: str | None) -> dict[str, Value]:
    """Return the order data as a field, nothing when they stay as they are (None)."""
    return {} if data is None else {row.alias: data for row in field_map.computed("order_data", modules)}


def _unsynced(order: Order, kept: Plan, fields: dict[str, Value], adjustments: tuple[Adjustment, ...]) -> Plan | Skip:
    """Return what an order in an unsynced status changes: corrections, and name and address where it gives them."""
    if not (fields or kept.contact.fields or kept.contact.tags):
        return _not_synced(order)
    write = ContactWrite(order.email, {**fields, **kept.contact.fields}, kept.contact.tags)
    return Plan(write, adjustments=(*adjustments, *kept.adjustments))


def _not_synced(order: Order) -> Skip:
    sentence = f"Orders with the status “{order.status}” are not synced; tick it under {where('orders.statuses')}."
    return Skip("status_not_synced", sentence)


def _values(
    modules: Modules, lifetime: Lifetime | None, shop_currency: str
) -> tuple[dict[str, Value], tuple[Adjustment, ...]]:
    return ({}, ()) if lifetime is None else lifetimes.told(lifetime, modules, shop_currency)
