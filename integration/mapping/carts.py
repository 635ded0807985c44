"""A cart as a plan for who left it, and for who bought it after all (P55 to P60)."""

from __future__ import annotations

from integration import money
from integration.events import Kind
from integration.mapping import field_map
from integration.mapping.cart_html import table
from integration.mapping.order_data import encode, quantity
from integration.mapping.own_values import emptied, own_values
from integration.mapping.tags import once, typed_tags
from integration.mapping.text import clean
from integration.plans import ContactWrite, FollowUp, Plan, SegmentAdd, SegmentRemove, Skip, Value
from integration.records import Cart, CartLine
from integration.settings import CartModule, Modules

MODULE_OFF = Skip("module_off", "Abandoned Cart is switched off; switch it on under Abandoned Cart.")
NO_EMAIL = Skip("no_email", "The cart has no e-mail address.")
#: What a follow-up's mark calls a cart, so that it is none of the order with the same number.
_MARK = "cart:{}"


def abandoned(cart: Cart, modules: Modules) -> Plan | Skip:
    """Return the one write of a cart that was left: fields, tag and segment (P55 to P57)."""
    module = modules.carts
    if (skip := _unfit(cart, module)) is not None:
        return skip
    tags = _tags(module.tag, module.recovered_tag, modules)
    own = own_values(cart, Kind.CART, modules)
    write = ContactWrite(cart.email, own.over(_fields(cart, modules)), tags)
    return Plan(write, _segment(cart, module), own.adjustments)


def recovered(cart: Cart, modules: Modules) -> Plan | Skip:
    """Return what a bought cart changes: its fields are emptied, the tags tell (P60)."""
    module = modules.carts
    if (skip := _unfit(cart, module)) is not None:
        return skip
    write = ContactWrite(cart.email, _emptied(modules), _tags(module.recovered_tag, module.tag, modules))
    return Plan(write, _leaving(str(cart.id), "recovered", module))


def taken_back(cart_id: str, at: str, modules: Modules) -> Plan | Skip:
    """Return what takes a cart from a contact that it is not of any more: its fields, the first tag and the segment.

    The contact is known by its link alone; `at` makes each time one of its own.
    """
    module = modules.carts
    if not module.enabled:
        return MODULE_OFF
    tags = tuple(f"-{tag}" for tag in typed_tags((module.tag,), modules.naming.name_space))
    return Plan(ContactWrite("", _emptied(modules), tags), _leaving(cart_id, f"moved {at}", module))


def cart_data(cart: Cart) -> str:
    """Return the cart as JSON: amounts as text in the currency's decimals, quantities as numbers (P55)."""
    return encode(
        {
            "total": money.text(cart.total, cart.currency),
            "currency": cart.currency,
            "recovery_url": cart.recovery_url,
            "items": [_item(line, cart.currency) for line in cart.lines],
        }
    )


def _unfit(cart: Cart, module: CartModule) -> Skip | None:
    if not module.enabled:
        return MODULE_OFF
    return None if cart.email.strip() else NO_EMAIL


def _fields(cart: Cart, modules: Modules) -> dict[str, Value]:
    values: dict[str, Value] = {
        "cart_data": cart_data(cart),
        "recovery_url": cart.recovery_url,
        "coupon_code": cart.coupon,
        "cart_html": table(cart),
    }
    return {row.alias: values[row.source] for row in field_map.written(Kind.CART, modules)}


def _emptied(modules: Modules) -> dict[str, Value]:
    return {row.alias: "" for row in field_map.written(Kind.CART, modules)} | emptied(Kind.CART, modules)


def _leaving(cart_id: str, status: str, module: CartModule) -> tuple[FollowUp, ...]:
    if not (module.segment and module.leave_segment):
        return ()
    return (SegmentRemove(module.segment, _MARK.format(cart_id), status),)


def _segment(cart: Cart, module: CartModule) -> tuple[FollowUp, ...]:
    return (SegmentAdd(module.segment, _MARK.format(cart.id), "abandoned"),) if module.segment else ()


def _tags(given: str, other: str, modules: Modules) -> tuple[str, ...]:
    """Return the tag that a cart gets, and behind a "-" the one that it has no more."""
    space = modules.naming.name_space
    removed = (f"-{tag}" for tag in typed_tags((other,), space)) if modules.carts.remove_tag else ()
    return once((*typed_tags((given,), space), *removed))


def _item(line: CartLine, currency: str) -> dict[str, object]:
    return {
        "name": clean(line.name),
        "product_id": line.product_id,
        "price": money.text(line.price, currency),
        "qty": quantity(line.quantity),
    }
