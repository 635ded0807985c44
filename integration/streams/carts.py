"""Carts that were left at the checkout: kept by us, sent when nobody comes back to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from integration.errors import Rejected
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.mapping import carts
from integration.mapping.consent import Consent
from integration.plans import Plan, Skip
from integration.records import Cart
from integration.settings import ConsentModule, Modules, where
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.streams.base import LEAVES, Explanation, Labels, Payload, Phase, PlanContext, Sighted
from integration.streams.cart_payload import cart_of, payload_of

KIND = Kind.CART
ABANDONED, RECOVERED, MOVED = "abandoned", "recovered", "moved"
BOUGHT = Skip("bought", "The person has ordered since, so they are not reminded.")
#: So long after a cart was left somebody is reminded of it; later it would do more harm than good.
ANNOUNCE_WITHIN = timedelta(days=1)
TOO_LATE = Skip("too_late", "The cart was left more than a day ago before it could be sent, so nobody is reminded.")
CAME_BACK = Skip("came_back", "The shopper has come back to the cart since, so what was known of it is not sent.")
FORGOTTEN = Skip("forgotten", "A person had the cart forgotten, so nothing of it is sent.")
NEWER = Skip("superseded", "The person has left a newer cart and is reminded of that one.")
NOT_THERE = Skip("not_there", "Mautic has no contact of the cart's former address, so nothing has to change there.")
#: Why a cart ended without being sent: code -> sentence of its story.
ENDS: Mapping[str, str] = {
    BOUGHT.code: BOUGHT.sentence,
    TOO_LATE.code: TOO_LATE.sentence,
    "before_start": "The cart was left more than a day before Abandoned Cart was switched on, so nobody is reminded.",
    "empty": "The cart was emptied, so there is nothing to be reminded of.",
    "products_gone": "None of the cart's products is in the shop any more, so nobody is reminded.",
    "consent": "It was captured without asking, which is switched off now; the address was deleted.",
    NEWER.code: NEWER.sentence,
    "failed": "It could not be made ready to be sent.",
}
_PAGE = "carts"


class Carts:
    """The stream of abandoned carts."""

    kind: Kind = KIND
    labels = Labels("Abandoned cart", "Abandoned carts", "Cart", "Abandoned Cart", "cart")
    module = "carts"
    phases: Sequence[Phase] = ()
    #: Before the changed orders: a cart must know its own unpaid order before that looks like a purchase.
    change_phases: Sequence[Phase] = (Phase("drafts", 0, everything=True),)
    numbered = False
    is_account = False
    in_ledger = False
    kept_here = True
    store_path = ""
    holds_tags = False
    collapses = False
    recurs = False
    optional = False
    is_cart = True
    nameless = False
    skip_reasons: Mapping[str, Explanation] = {
        "module_off": Explanation("Abandoned Cart is switched off.", where("carts.enabled"), _PAGE),
        "no_email": Explanation("The cart has no e-mail address, so nobody can be reminded.", "nothing", _PAGE),
        BOUGHT.code: Explanation(
            "The person has ordered since the cart was left, so they are not reminded.",
            "nothing: this is how it should be",
            _PAGE,
        ),
        CAME_BACK.code: Explanation(
            "The shopper came back to the cart before it was sent; it is sent as it is now if they leave again.",
            "nothing: this is how it should be",
            _PAGE,
        ),
        NEWER.code: Explanation(
            "One person is reminded of one cart, the newest; this one was left before it.",
            "nothing: this is how it should be",
            _PAGE,
        ),
        NOT_THERE.code: Explanation("The cart's former address is no contact in Mautic.", "nothing", _PAGE),
        FORGOTTEN.code: Explanation("A person had the cart forgotten.", "nothing", _PAGE),
        TOO_LATE.code: Explanation(
            "The cart could not be sent within a day, and a later reminder would do more harm than good.",
            "nothing; a person can send it from the cart's own page",
            _PAGE,
        ),
    }

    def is_enabled(self, modules: Modules) -> bool:
        """Return whether Abandoned Cart is on."""
        return modules.carts.enabled

    def parse(self, payload: Payload) -> Cart:
        """Return the cart; raises MappingError."""
        return cart_of(payload)

    def change(self, payload: Payload, origin: Origin, seen_at: datetime) -> Change:
        """Return the change of a cart that was left; raises MappingError."""
        return change_of(cart_of(payload), ABANDONED, seen_at)

    def action(self, event: str) -> str:
        """Return what the sync log calls the write."""
        if event in LEAVES:
            return "cart_removal"
        return "cart_recovery" if event == RECOVERED else "cart_sync"

    def plan(self, delivery: Sighted, context: PlanContext) -> Plan | Skip:
        """Return what to write for a cart that was left, bought or moved; who has ordered is not reminded (X15)."""
        if delivery.event in LEAVES:
            return _moved(delivery, context)
        cart: Cart = delivery.record
        if delivery.event == RECOVERED:
            return carts.recovered(cart, context.modules)
        if context.has_ordered_since(cart):
            return BOUGHT
        return carts.abandoned(cart, context.modules)

    def consents(self, delivery: Sighted, module: ConsentModule, known: Sequence[Consent]) -> Sequence[Consent] | None:
        """Return None: a cart is kept under a consent of its own."""
        return None

    def refresh(self, store: StoreClient, ids: Collection[str]) -> Mapping[str, Payload]:
        """Return nothing: the store cannot be asked for carts."""
        return {}

    def lacks_email(self, delivery: Sighted) -> bool:
        """Return False: a cart without an address is not announced."""
        return False

    def look_up(self, store: StoreClient, source_id: str) -> Payload | None:
        """Return None: the store cannot be asked for carts."""
        return None

    def find_email(self, store: StoreClient, source_id: str) -> str | None:
        """Return None: it is never asked for."""
        return None

    def last_word(self, delivery: Sighted) -> str:
        """Return "": each cart says something of its own."""
        return ""

    def sample(self, store: StoreClient, modules: Modules, record_id: int | None) -> NoReturn:
        """Raise Rejected (gone): the store cannot be asked for carts."""
        raise Rejected(SERVICE, "gone", "The store knows no carts.", "Look at a cart's own page.")

    def admin_url(self, home: str, source_id: str) -> str:
        """Return "": the store has no page of a cart."""
        return ""


def change_of(cart: Cart, event: str, at: datetime) -> Change:
    """Return the change of a cart that was left or bought at `at`; it goes out before history, as what is live does."""
    return Change(
        kind=KIND,
        source_id=str(cart.id),
        event=event,
        person_key=person_key_of(cart.email),
        payload=payload_of(cart),
        seen_at=at,
        origin=Origin.WEBHOOK,
        modified_at=at,
    )


def moved(cart_id: int, former: str, at: datetime) -> Change:
    """Return the change for the person `former` whose cart is somebody else's now, or nobody's.

    The address is known no more: the contact is found by its link. The moment makes each move a change of its own.
    """
    return Change(
        kind=KIND,
        source_id=str(cart_id),
        event=MOVED,
        person_key=former,
        payload={"id": cart_id, "at": at.isoformat()},
        seen_at=at,
        origin=Origin.WEBHOOK,
        modified_at=at,
    )


def _moved(delivery: Sighted, context: PlanContext) -> Plan | Skip:
    if not context.known:
        return NOT_THERE
    return carts.taken_back(delivery.source_id, str(delivery.payload.get("at") or ""), context.modules)
