"""The shapes of what programs send: WooCommerce's own, with the fields that are used here and meta data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue

from integration.inbound import unused_names
from integration.inbound.values import (
    ROWS_MAX,
    Address,
    Amount,
    Billing,
    Currency,
    Email,
    Id,
    Meta,
    Number,
    Part,
    Status,
    Text,
    Truth,
    When,
    moment_of,
)
from integration.pipeline.ingest.cart_keeping import ITEMS_MAX
from integration.record_ids import source_id_of
from integration.store.sanitizing import INTEGER_MAX

_ADDRESS_EXAMPLE = {"first_name": "Ada", "last_name": "Byron", "city": "London", "postcode": "W1", "country": "GB"}
CONTACT_EXAMPLE: dict[str, JsonValue] = {
    "id": "crm-4711",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Byron",
    "billing": {"city": "London", "postcode": "W1", "country": "GB", "phone": "+44 20 7946 0958"},
}
ORDER_EXAMPLE: dict[str, JsonValue] = {
    "id": "till-17",
    "number": "T-17",
    "status": "completed",
    "currency": "EUR",
    "total": "25.00",
    "date_created_gmt": "2026-11-20T10:30:00",
    "payment_method_title": "Cash",
    "billing": {**_ADDRESS_EXAMPLE, "email": "ada@example.com"},
    "line_items": [
        {"name": "Mug", "product_id": 12, "sku": "MUG-1", "price": "12.50", "quantity": 2, "total": "25.00"}
    ],
    "meta_data": [{"key": "_till", "value": "3"}],
}
CART_EXAMPLE: dict[str, JsonValue] = {
    "id": "app-9f3c",
    "email": "ada@example.com",
    "consent": {"given": True, "text": "Remind me of my cart by e-mail."},
    "currency": "EUR",
    "line_items": [{"product_id": 12, "quantity": 2, "name": "Mug", "price": "12.50"}],
}


class Record(Part):
    """Something with an id that the sending program gave it."""

    id: Id

    @property
    def source_id(self) -> str:
        """Return the id by which records and log know it."""
        return source_id_of(self.id)

    def given(self) -> dict[str, Any]:
        """Return what was given, as the store would give it."""
        return {**self.model_dump(mode="json", exclude_unset=True), "id": self.source_id}


class InboundContact(Record):
    """A contact, as WooCommerce shows a customer; without `date_modified_gmt` it is as of now."""

    model_config = ConfigDict(json_schema_extra={"examples": [CONTACT_EXAMPLE]})
    unused = unused_names.CONTACT

    email: Email
    first_name: Text = ""
    last_name: Text = ""
    role: Text = "customer"
    billing: ContactBilling | None = None
    date_created_gmt: When | None = None
    date_modified_gmt: When | None = None
    meta_data: Meta = []

    def payload(self, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """Return the record as the road takes it."""
        return {"date_modified_gmt": _written(now), **_without_nothing(self.given())}


class ContactBilling(Address):
    """The billing address of a contact; its e-mail is the contact's own, where none is given."""

    email: Annotated[Email | None, BeforeValidator(lambda value: value or None)] = None


class OrderLine(Part):
    """A line of an order; `price` is of one piece, `total` of the line after discounts."""

    unused = unused_names.LINE

    name: Text
    product_id: Number = 0
    variation_id: Number = 0
    sku: Text | None = ""
    price: Amount = "0"
    quantity: Amount = "1"
    total: Amount = "0"


class Refund(Part):
    """A refund of an order; the sign of its total does not matter."""

    unused = frozenset({"reason"})

    id: Number = 0
    total: Amount


class Coupon(Part):
    """A coupon that an order used."""

    unused = unused_names.COUPON

    code: Text


class InboundOrder(Record):
    """An order, as WooCommerce shows it; without `date_modified_gmt` it is as of now."""

    model_config = ConfigDict(json_schema_extra={"examples": [ORDER_EXAMPLE]})
    unused = unused_names.ORDER

    status: Status
    currency: Currency
    total: Amount
    date_created_gmt: When
    billing: Billing
    number: Annotated[Text, Field(max_length=60)] = ""
    discount_total: Amount = "0"
    payment_method: Text = ""
    payment_method_title: Text = ""
    created_via: Text = ""
    date_modified_gmt: When | None = None
    date_paid_gmt: When | None = None
    date_completed_gmt: When | None = None
    line_items: Annotated[list[OrderLine], Field(max_length=ROWS_MAX)] = []
    refunds: Annotated[list[Refund], Field(max_length=ROWS_MAX)] = []
    coupon_lines: Annotated[list[Coupon], Field(max_length=ROWS_MAX)] = []
    meta_data: Meta = []

    def payload(self, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """Return the record as the road takes it; its day is that of the shop's zone, as in the shop's own orders."""
        local = moment_of(self.date_created_gmt).astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")
        return {
            "number": self.id,
            "date_modified_gmt": _written(now),
            "line_items": [],
            **_without_nothing(self.given()),
            "date_created": local,
        }


class Consent(Part):
    """Whether the person agreed to be reminded, to what words and when; without a yes nothing of them is kept."""

    given: Truth
    text: Annotated[Text, Field(max_length=500)] = ""
    at: When | None = None


class CartLine(Part):
    """A line of a cart; the shop tells name and price where they are not both given."""

    unused = frozenset({"key", "total", "sku", "image"})

    product_id: Annotated[int, Field(strict=True, ge=1, le=INTEGER_MAX)]
    variation_id: Number = 0
    quantity: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False, strict=True)] = 1
    name: Text = ""
    price: Amount | None = None


class InboundCart(Record):
    """One state of a cart: it counts as left when no newer state comes for the timeout of Abandoned Cart.

    Without `date_modified_gmt` it is as of now.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [CART_EXAMPLE]})

    email: Email
    consent: Consent
    line_items: Annotated[list[CartLine], Field(max_length=ITEMS_MAX)]
    currency: Currency | None = None
    date_created_gmt: When | None = None
    date_modified_gmt: When | None = None


#: What an address of the API is called, which is the stream's module, and the shape of what it takes.
KINDS: dict[str, type[InboundContact] | type[InboundOrder] | type[InboundCart]] = {
    "contacts": InboundContact,
    "orders": InboundOrder,
    "carts": InboundCart,
}
InboundContact.model_rebuild()


def _written(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()


def _without_nothing(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value not in (None, "")}
