"""Whether a failed read may be the fault of one record or of a page's size, or is the store's as a whole."""

from __future__ import annotations

from integration.errors import ServerFault, ServiceError, Unreachable
from integration.store.client import StoreClient

#: When so many records fail one after the other, the store cannot read its orders: it is not the records.
FAILED_IN_A_ROW_MAX = 10
_SMALLER_MAY_HELP = ("timeout", "cut", "too_large")


def divisible(error: ServiceError) -> bool:
    """Tell whether a smaller page may get through: after a 5xx, a cut answer or a time-out."""
    if isinstance(error, Unreachable):
        return error.sent and error.code in _SMALLER_MAY_HELP
    return isinstance(error, ServerFault) and error.code != "database_down"


def alive(client: StoreClient) -> bool:
    """Tell whether the store answers at all, by the cheapest call there is."""
    try:
        client.get("", {"_fields": "namespace"})
    except ServiceError:
        return False
    return True
