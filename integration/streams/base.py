"""What a kind of record must tell of itself, so that everything else treats all kinds alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from integration.events import Change, Kind, Origin
from integration.mapping.consent import Consent
from integration.mapping.orders import Shop
from integration.plans import Lifetime, Plan, Skip
from integration.records import Cart, Order, OtherOrder
from integration.settings import ConsentModule, Modules
from integration.store.client import StoreClient

Payload = Mapping[str, Any]
#: Events that take a record away from a person: it was deleted, or given to another e-mail address.
LEAVES = ("deleted", "moved")
#: What the sync log calls the write of a contact.
WRITE = "create_or_update"


@dataclass(frozen=True, slots=True)
class Labels:
    """The words for a kind of record: `entity` in lists and filters, `noun` as the store's people call it.

    `page` is the page with its settings, `event` what stands before an event's name ("status completed").
    """

    entity: str
    entities: str
    noun: str
    page: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason in one sentence; `where` says where it is changed, `page` is that page: a blueprint, store or mautic."""

    sentence: str
    where: str
    page: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run that reads the store: its name in the run, and its place among the phases of all streams.

    One that is read `always` is read while the module is off, too. `everything` says that a part of the records, or a
    dry run, makes no sense of it.
    """

    name: str
    place: int
    always: bool = False
    everything: bool = False


class Sighted(Protocol):
    """A delivery as a stream sees it; the pipeline's LeasedDelivery fulfils it."""

    @property
    def source_id(self) -> str:
        """The record's id in the store."""

    @property
    def number(self) -> str:
        """The number that people know the record by, "" without one."""

    @property
    def event(self) -> str:
        """What happened: created, updated, deleted, moved, or the status that was reached."""

    @property
    def origin(self) -> Origin:
        """What brought it."""

    @property
    def person_key(self) -> str:
        """Whose it is, "kind:id" where that is not known."""

    @property
    def payload(self) -> Payload:
        """The record as the store gave it, with a person's corrections."""

    @property
    def payload_at(self) -> datetime:
        """When the payload was read."""

    @property
    def reached_at(self) -> datetime | None:
        """When an order reached its status, if this is about that event."""

    @property
    def record(self) -> Any:
        """The record parsed, once; raises MappingError when it cannot be read."""


class PlanContext(Protocol):
    """What a stream may know of the person whose record it plans; the pipeline's PersonContext fulfils it."""

    @property
    def modules(self) -> Modules:
        """The connector's settings."""

    @property
    def known(self) -> bool:
        """Whether the person is a contact in Mautic by us."""

    @property
    def currency(self) -> str:
        """The shop's currency, "" while it is not known."""

    @property
    def shop(self) -> Shop:
        """What else the store tells of itself."""

    @property
    def triggers(self) -> Mapping[str, Any]:
        """Since when what sends a note or an e-mail is set."""

    @property
    def given_tags(self) -> Collection[str]:
        """The tags that orders have given the contact."""

    @property
    def data_left(self) -> str | None:
        """The order data of the person without a record that leaves: "" for none, None when they stay as they are."""

    def categories(self, order: Order) -> Sequence[str]:
        """Return the slugs of the categories of an order's products, as far as the store tells them."""

    @property
    def has_told_sums(self) -> bool:
        """Whether Mautic was told lifetime values of the person, so that it has to be told when nothing is left."""

    def lifetime(self) -> Lifetime:
        """Return the sums over the person's paid orders."""

    def overtaken(self, order: Order) -> str:
        """Return the status in which the order was seen since, "" when this is its newest sighting."""

    def is_latest(self, order: Order) -> bool:
        """Return whether no newer synced order of the person is known."""

    def names(self, order: Order) -> bool:
        """Return whether name and address are taken from this order."""

    def has_ordered_since(self, cart: Cart) -> bool:
        """Return whether the person has placed an order since the cart was first seen."""

    def recurring(self, order: Order | None) -> Sequence[OtherOrder]:
        """Return all recurring orders of the person as they are now; `order` is one as it was just read."""

    def leaves(self, source_id: str) -> Sequence[OtherOrder]:
        """Return the recurring orders of the person without one that is gone."""

    def tags_given_by(self, kind: Kind) -> Collection[str]:
        """Return the tags that records of a kind have given the contact."""

    def other_orders(self, order_id: int) -> Sequence[OtherOrder]:
        """Return the person's orders beside one."""


class Stream(Protocol):
    """One kind of record on the road: how it is read, recognised, planned and named."""

    kind: Kind
    labels: Labels
    #: What a run's option `only` calls it, which is the name of its module in the settings too.
    module: str
    #: Code of a Skip -> why, and where to change it.
    skip_reasons: Mapping[str, Explanation]
    #: What an import reads of the store; pipeline.runs.phases knows how.
    phases: Sequence[Phase]
    #: What a run reads that looks for changes.
    change_phases: Sequence[Phase]
    #: People know its records by a number, so that search and timelines find them by it.
    numbered: bool
    #: Its records are accounts: by its id one is the same person still when its e-mail address has changed.
    is_account: bool
    #: Its records count in a person's lifetime values, and its deletion takes them out again.
    in_ledger: bool
    #: Its records are kept by us and not by the store, which cannot be asked for them.
    kept_here: bool
    #: The store's list of its records ("orders"), "" where it has none.
    store_path: str
    #: Its records give tags that stand as long as one of them is in good order.
    holds_tags: bool
    #: A newer snapshot of a record takes the place of one that waits.
    collapses: bool
    #: Its records are subscriptions of the store: which tags a person has is told by all of them together.
    recurs: bool
    #: Only a setting of its own brings its records; without it nothing of the kind is shown, tried or offered.
    optional: bool
    #: Its records are carts, whose story is kept.
    is_cart: bool
    #: Its records tell no address: a contact that is gone in Mautic is not made again by them.
    nameless: bool

    def is_enabled(self, modules: Modules) -> bool:
        """Return whether the connector syncs this kind."""

    def parse(self, payload: Payload) -> Any:
        """Return the record; raises MappingError naming what cannot be read."""

    def change(self, payload: Payload, origin: Origin, seen_at: datetime) -> Change:
        """Return the change that a record as read now stands for; raises MappingError (no_id)."""

    def action(self, event: str) -> str:
        """Return what the sync log calls the write of a record after this event (P84)."""

    def plan(self, delivery: Sighted, context: PlanContext) -> Plan | Skip:
        """Return what a delivery asks for; raises MappingError when its record cannot be mapped."""

    def consents(self, delivery: Sighted, module: ConsentModule, known: Sequence[Consent]) -> Sequence[Consent] | None:
        """Return what a record says of marketing consent, beside what is known of the person; None if it needs none.

        Raises MappingError (consent_unread) where the store did not tell it.
        """

    def refresh(self, store: StoreClient, ids: Collection[str]) -> Mapping[str, Payload]:
        """Read records again; return id -> record of those that are there. Raises ServiceError."""

    def lacks_email(self, delivery: Sighted) -> bool:
        """Return whether the payload lacks the address that is needed, although the store can still tell it."""

    def look_up(self, store: StoreClient, source_id: str) -> Payload | None:
        """Read one record, from the trash too; None when it is gone. Raises ServiceError."""

    def find_email(self, store: StoreClient, source_id: str) -> str | None:
        """Read the address that a payload lacks; None when the record is gone. Raises ServiceError."""

    def last_word(self, delivery: Sighted) -> str:
        """Return what tells which of a person's records was changed last, "" where each says something of its own."""

    def sample(self, store: StoreClient, modules: Modules, record_id: int | None) -> Payload:
        """Read one record, the newest that is synced without an id; raises Rejected "gone" with what to do."""

    def admin_url(self, home: str, source_id: str) -> str:
        """Return the record's page in the store's administration."""
