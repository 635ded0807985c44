"""The store's records as the rest of the project sees them: typed, with Decimal money and aware UTC dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """A billing address as it reads, the e-mail as the store has it; `country` and `state` are WooCommerce codes."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """A registered customer; names are already HTML-decoded.

    `extra` maps a path of the field map that no attribute stands for ("meta_data._vat_number") to its single value.
    `asked` maps each meta key that the settings look at to its value, None where the record has none; a key that was
    not asked for when the record was read is not in it.
    `unread` names the fields that could not be read and are empty here. `mapped` maps a path of a person's own mapping
    to what the store has there, of any shape, None for nothing; one that is not in it was not asked for.
    """

    id: int
    email: str
    first_name: str = ""
    last_name: str = ""
    role: str = "customer"
    billing: Address = field(default_factory=Address)
    created_at: datetime | None = None
    modified_at: datetime | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    mapped: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line of an order; `product_id` is 0 and `sku` empty when the product was deleted (woo:061)."""

    name: str
    product_id: int = 0
    variation_id: int = 0
    sku: str = ""
    price: Decimal = Decimal(0)
    quantity: Decimal = Decimal(1)
    total: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Order:
    """An order; money as Decimal in `currency` ("" is the shop's), `refunds` as positive amounts.

    `lines_read` tells that an order without items has none, and was not just read without them. `extra`, `asked`,
    `unread` and `mapped` are as in Customer. `given_id` is the source id of an order that a program sent, whose `id` is
    negative.
    """

    id: int
    number: str
    status: str
    currency: str
    total: Decimal
    billing: Address
    discount_total: Decimal = Decimal(0)
    coupons: tuple[str, ...] = ()
    payment_method: str = ""
    customer_id: int = 0
    items: tuple[LineItem, ...] = ()
    refunds: tuple[Decimal, ...] = ()
    created_at: datetime | None = None
    local_date: str = ""
    modified_at: datetime | None = None
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    created_via: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    lines_read: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    given_id: str = ""
    mapped: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source_id(self) -> str:
        """Return the id that the order is known by, as deliveries have it."""
        return self.given_id or str(self.id)

    @property
    def email(self) -> str:
        """Return the billing e-mail: the contact's address (guests have no other)."""
        return self.billing.email.strip()

    @property
    def net_total(self) -> Decimal:
        """Return the total less all refunds, never below zero."""
        return max(self.total - sum(self.refunds, Decimal(0)), Decimal(0))


@dataclass(frozen=True, slots=True)
class Score:
    """A buyer's RFM classes, 1 to 5 each with 5 the best; 0 for who has no order that counts."""

    id: int
    recency: int = 0
    frequency: int = 0
    monetary: int = 0


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of a cart as the store describes it; `price` and `total` as it shows them, links absolute or ""."""

    name: str
    product_id: int
    variation_id: int = 0
    quantity: Decimal = Decimal(1)
    price: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    image: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart that was left, or bought after all: then `order_id` is its order and `proof` how that is known.

    `recovery_url` is "" where there is no link, `coupon` the code of its coupon. `created_at` is when it was first
    seen, `changed_at` when e-mail or items last changed.
    """

    id: int
    email: str
    currency: str
    total: Decimal
    lines: tuple[CartLine, ...] = ()
    recovery_url: str = ""
    coupon: str = ""
    draft_id: int = 0
    created_at: datetime | None = None
    changed_at: datetime | None = None
    order_id: int = 0
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who has filled in the subscribe form; `confirmation_url` is the link of the e-mail, "" where none is to be sent.

    `confirmed` says that the link was followed, so that the address is known to be theirs.
    """

    id: int
    email: str
    first_name: str = ""
    last_name: str = ""
    confirmation_url: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """Another order of the same person, as it was last seen; `items` is None as long as its lines were not read."""

    status: str
    items: tuple[LineItem, ...] | None = None
