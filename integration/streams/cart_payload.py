"""How a cart stands in the outbox: JSON of our own making, which a person may have corrected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from integration.errors import MappingError
from integration.records import Cart, CartLine

Payload = Mapping[str, Any]


def payload_of(cart: Cart) -> dict[str, Any]:
    """Return the cart as JSON-ready values: amounts as text, moments in ISO 8601."""
    return {
        "id": cart.id,
        "email": cart.email,
        "currency": cart.currency,
        "total": str(cart.total),
        "lines": [line_json(line) for line in cart.lines],
        "recovery_url": cart.recovery_url,
        "coupon": cart.coupon,
        "draft_id": cart.draft_id,
        "created_at": _written(cart.created_at),
        "changed_at": _written(cart.changed_at),
        "order_id": cart.order_id,
        "proof": cart.proof,
    }


def cart_of(payload: Payload) -> Cart:
    """Return the cart of a payload; raises MappingError (bad_shape) naming what cannot be read."""
    return Cart(
        id=_number(payload, "id"),
        email=str(payload.get("email") or ""),
        currency=str(payload.get("currency") or ""),
        total=_amount(payload, "total"),
        lines=lines_of(payload.get("lines")),
        recovery_url=str(payload.get("recovery_url") or ""),
        coupon=str(payload.get("coupon") or ""),
        draft_id=_number(payload, "draft_id"),
        created_at=_moment(payload, "created_at"),
        changed_at=_moment(payload, "changed_at"),
        order_id=_number(payload, "order_id"),
        proof=str(payload.get("proof") or ""),
    )


def line_json(line: CartLine) -> dict[str, Any]:
    """Return a line as it is kept with a cart."""
    return {
        "name": line.name,
        "product_id": line.product_id,
        "variation_id": line.variation_id,
        "quantity": str(line.quantity),
        "price": str(line.price),
        "total": str(line.total),
        "image": line.image,
        "link": line.link,
    }


def lines_of(rows: Any) -> tuple[CartLine, ...]:
    """Return the lines as they are kept with a cart; raises MappingError (bad_shape)."""
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        raise _bad("lines")
    return tuple(_line(row) for row in rows)


def _line(row: Payload) -> CartLine:
    return CartLine(
        name=str(row.get("name") or ""),
        product_id=_number(row, "product_id"),
        variation_id=_number(row, "variation_id"),
        quantity=_amount(row, "quantity"),
        price=_amount(row, "price"),
        total=_amount(row, "total"),
        image=str(row.get("image") or ""),
        link=str(row.get("link") or ""),
    )


def _number(payload: Payload, name: str) -> int:
    value = payload.get(name) or 0
    if isinstance(value, bool) or not str(value).isdigit():
        raise _bad(name)
    return int(value)


def _amount(payload: Payload, name: str) -> Decimal:
    try:
        return Decimal(str(payload.get(name) or "0"))
    except InvalidOperation as error:
        raise _bad(name) from error


def _moment(payload: Payload, name: str) -> datetime | None:
    value = payload.get(name)
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError as error:
        raise _bad(name) from error


def _written(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _bad(name: str) -> MappingError:
    return MappingError("bad_shape", f"The cart's “{name}” cannot be read.", "Forget the cart; it is captured anew.")
