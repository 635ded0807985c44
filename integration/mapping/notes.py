"""The note that an order leaves at the contact (P39), and the texts of an order for e-mails (P40)."""

from __future__ import annotations

from decimal import Decimal
from html import escape

from integration import money
from integration.mapping.order_data import date_of, quantity
from integration.mapping.status_dates import any_known
from integration.mapping.text import clean
from integration.plans import Note, SendEmail
from integration.records import LineItem, Order

#: Older Mautic keeps notes in 65,535 bytes (dossier 4.4); the 70,000 of mautic:213 are not theirs.
NOTE_MAX_BYTES = 60_000


def note(order: Order, shop_decimals: int | None = None, name_space: str = "") -> Note:
    """Return the note of an order and its status: title, all line items, total, and the marker that finds it again."""
    mark = marker(order, name_space)
    title = f"<p><strong>Order #{_text(order.number)}: {_text(order.status)}</strong></p>"
    facts = [date_of(order), _text(order.payment_method), ", ".join(_text(code) for code in order.coupons)]
    total = " · ".join([f"Total {_price(order, shop_decimals)}", *(fact for fact in facts if fact)])
    end = f"<p>{total}</p><p>{mark}</p>"
    text = title + _lines(order, shop_decimals, NOTE_MAX_BYTES - len((title + end).encode())) + end
    return Note(order.source_id, order.status, text, mark, any_known(order))


def marker(order: Order, name_space: str = "") -> str:
    """Return the line that finds the note of this order and status in Mautic: `[order 1234 completed]`.

    With a name space it is `[de order 1234 completed]`: another store's order may have the same number.
    """
    of_store = f"{name_space} " if name_space else ""
    return f"[{of_store}order {order.source_id} {_text(order.status)}]"


def send_email(order: Order, email_id: int, shop_decimals: int | None = None) -> SendEmail:
    """Return the e-mail for the order's status; tokens are escaped, since Mautic puts them into HTML as they are."""
    tokens = {
        "order_id": order.source_id,
        "order_number": order.number,
        "status": order.status,
        "total": money.text(order.total, order.currency, shop_decimals),
        "currency": order.currency,
        "date": date_of(order),
        "payment_method": order.payment_method,
        "items": ", ".join(_item(item) for item in order.items),
    }
    return SendEmail(order.source_id, order.status, email_id, {name: _text(text) for name, text in tokens.items()})


def _lines(order: Order, shop_decimals: int | None, room: int) -> str:
    """Return the items as a list; those beyond `room` bytes are counted instead."""
    lines: list[str] = []
    used = 200
    for position, item in enumerate(order.items):
        line = f"<li>{_text(_item(item))} – {_money(item.total, order, shop_decimals)}</li>"
        used += len(line.encode())
        if used > room:
            lines.append(f"<li>… and {len(order.items) - position} more</li>")
            break
        lines.append(line)
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _item(item: LineItem) -> str:
    sku = f" ({item.sku})" if item.sku else ""
    return f"{quantity(item.quantity)} × {item.name}{sku}"


def _money(amount: Decimal, order: Order, shop_decimals: int | None) -> str:
    return f"{money.text(amount, order.currency, shop_decimals)} {_text(order.currency)}"


def _price(order: Order, shop_decimals: int | None) -> str:
    total = _money(order.total, order, shop_decimals)
    refunded = sum(order.refunds, Decimal(0))
    return f"{total}, refunded {_money(refunded, order, shop_decimals)}" if order.refunds else total


def _text(value: str) -> str:
    return escape(clean(value), quote=False)
