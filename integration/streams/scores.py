"""RFM scores: each buyer's classes by the shop's own quantiles, kept by us, sent when somebody has moved (X14)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from integration.errors import MappingError, Rejected
from integration.events import Change, Kind, Origin
from integration.mapping import scores
from integration.mapping.consent import Consent
from integration.plans import Plan, Skip
from integration.records import Score
from integration.settings import ConsentModule, Modules, where
from integration.store import parse
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.store.php_values import whole
from integration.streams.base import WRITE, Explanation, Labels, Payload, Phase, PlanContext, Sighted

KIND = Kind.SCORE
SCORED = "scored"


class Scores:
    """The stream of RFM scores."""

    kind: Kind = KIND
    labels = Labels("RFM score", "RFM scores", "RFM score", "Order Sync")
    module = "orders"
    phases: Sequence[Phase] = ()
    change_phases: Sequence[Phase] = ()
    numbered = False
    is_account = False
    in_ledger = False
    kept_here = True
    holds_tags = False
    collapses = True
    recurs = False
    optional = True
    is_cart = False
    nameless = True
    store_path = ""
    skip_reasons: Mapping[str, Explanation] = {
        scores.OFF.code: Explanation("RFM is switched off.", where("orders.rfm"), "orders"),
        scores.NO_CONTACT.code: Explanation(
            "The buyer is no contact in Mautic, so there is nobody to give the classes to.",
            f"{where('orders.statuses')}: buyers become contacts when an order of theirs is synced",
            "orders",
        ),
    }

    def is_enabled(self, modules: Modules) -> bool:
        """Return whether classes are sent."""
        return modules.orders.enabled and modules.orders.rfm

    def parse(self, payload: Payload) -> Score:
        """Return the score; raises MappingError (no_id)."""
        number = parse.record_id(payload)
        return Score(number, *(whole(payload.get(name)) for name in ("recency", "frequency", "monetary")))

    def change(self, payload: Payload, origin: Origin, seen_at: datetime) -> NoReturn:
        """Raise MappingError (no_id): a score is known by its buyer's key, which its payload does not tell."""
        raise MappingError("no_id", "An RFM score does not say whose it is.", "Look at the page RFM.")

    def action(self, event: str) -> str:
        """Return what the sync log calls the write."""
        return WRITE

    def plan(self, delivery: Sighted, context: PlanContext) -> Plan | Skip:
        """Return the fields of a buyer's classes."""
        return scores.plan(delivery.record, context.modules, known=context.known)

    def consents(self, delivery: Sighted, module: ConsentModule, known: Sequence[Consent]) -> Sequence[Consent] | None:
        """Return None: a score goes to contacts who are there already."""
        return None

    def refresh(self, store: StoreClient, ids: Collection[str]) -> Mapping[str, Payload]:
        """Return nothing: the store cannot be asked for scores."""
        return {}

    def lacks_email(self, delivery: Sighted) -> bool:
        """Return False: the contact is known by its link."""
        return False

    def look_up(self, store: StoreClient, source_id: str) -> Payload | None:
        """Return None: the store cannot be asked for scores."""
        return None

    def find_email(self, store: StoreClient, source_id: str) -> str | None:
        """Return None: it is never asked for."""
        return None

    def last_word(self, delivery: Sighted) -> str:
        """Return "": of one person there is one score."""
        return ""

    def sample(self, store: StoreClient, modules: Modules, record_id: int | None) -> NoReturn:
        """Raise Rejected (gone): the store cannot be asked for scores."""
        raise Rejected(SERVICE, "gone", "The store knows no RFM scores.", "Look at the page RFM.")

    def admin_url(self, home: str, source_id: str) -> str:
        """Return "": the store has no page of a score."""
        return ""


def change_of(score: Score, person_key: str, at: datetime) -> Change:
    """Return the change of a buyer whose classes are these from `at` on; it goes out as history does."""
    return Change(
        kind=KIND,
        source_id=str(score.id),
        event=SCORED,
        person_key=person_key,
        payload={
            "id": score.id,
            "recency": score.recency,
            "frequency": score.frequency,
            "monetary": score.monetary,
        },
        seen_at=at,
        origin=Origin.SCORES,
        modified_at=at,
    )
