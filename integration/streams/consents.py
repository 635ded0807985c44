"""What the streams share of marketing consent: why a record is skipped, and the account that an order is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integration.events import Kind
from integration.mapping import consent
from integration.mapping.consent import Consent
from integration.records import Order
from integration.settings import ConsentModule, where
from integration.store import parse
from integration.streams.base import Explanation, Payload, Sighted

SKIP_REASONS: Mapping[str, Explanation] = {
    "no_consent": Explanation("The person has not consented to marketing.", where("consent.without"), "consents")
}
#: Where the payload of an order keeps its buyer's account, once that was asked.
ACCOUNT = "account"


def keys_of(kind: Kind, module: ConsentModule) -> tuple[str, ...]:
    """Return the meta keys that are looked at in records of a kind, none while consent is not asked for."""
    key = {Kind.CONTACT: module.customer_field, Kind.ORDER: module.order_field}.get(kind, "")
    return (key,) if module.enabled and key else ()


def of_account(delivery: Sighted, order: Order, module: ConsentModule) -> Sequence[Consent]:
    """Return what the account of an order's buyer says, nothing where it was not asked or is gone."""
    row = delivery.payload.get(ACCOUNT)
    if not isinstance(row, Mapping) or not row:
        return ()
    return consent.of_customer(parse.customer(row), order.email, module, delivery.payload_at)


def asks_account(payload: Payload, order: Order, module: ConsentModule) -> bool:
    """Tell whether an order's consent lies with its buyer's account, which was not asked yet."""
    if not (module.enabled and module.customer_field and order.customer_id) or ACCOUNT in payload:
        return False
    return not (module.order_field and consent.means_yes(order.asked.get(module.order_field), module.yes_values))
