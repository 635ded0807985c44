"""What pages read of subscriptions: their states in words, and which of them a list shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from integration.models.subscription import SubscriptionState
from integration.queries.person_lists import PersonQuery
from integration.url_filters import OneOf

#: State -> its word and the colour of its badge.
STATES: Mapping[str, tuple[str, str]] = {
    SubscriptionState.PENDING: ("Not confirmed", "warn"),
    SubscriptionState.CONFIRMED: ("On its way", "info"),
    SubscriptionState.SENT: ("In Mautic", "ok"),
}


class SubscriptionQuery(PersonQuery):
    """Which subscriptions a list shows."""

    state: Annotated[str, OneOf(tuple(STATES))] = ""
