"""What a mapping returns and what Mautic's side needs to know to write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from integration import money

Value = str | int | float | bool | None

#: What PHP calls numeric.
_NUMERIC = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def is_blank(value: object) -> bool:
    """Tell whether a value of a write empties its field."""
    return value is None or value == ""


def below_one(value: object) -> bool:
    """Tell whether Mautic takes the value for zero: a number, or text that PHP calls numeric, between -1 and 1.

    POST and PATCH drop it silently and keep the old value (mautic:110, mautic:283, dossier 4.1.5).
    """
    if isinstance(value, str):
        return bool(_NUMERIC.fullmatch(value)) and abs(float(value)) < 1
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1


#: A value was left out because Mautic lacks its field: the record is to be sent again when there is one.
NO_FIELD = "no_field"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A value that was not sent as the store has it; `kind` is shortened, left_out, NO_FIELD or changed."""

    field: str
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DoNotContact:
    """Whether a contact is to be on Mautic's list of those who get no e-mail.

    `comment` is how our entries are known there: only one with it is ever taken away.
    """

    wanted: bool
    comment: str


@dataclass(frozen=True, slots=True)
class ContactWrite:
    """One upsert: field alias -> value, tags to add ("-tag" removes), whether no e-mail may go (None: as it is).

    A field with "" is to be empty afterwards; one that is not in `fields` stays as it is. Fitted to Mautic an emptied
    date is None, for a date with "" is ignored there (465).
    """

    email: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    do_not_contact: DoNotContact | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A contact note; `order_id` and `status` make it once-only, `marker` finds it again in Mautic."""

    order_id: str
    status: str
    text: str
    marker: str
    at: datetime | None = None
    action: str = "create_note"


@dataclass(frozen=True, slots=True)
class SegmentAdd:
    """Membership of a segment; once per order and status, though repeatable."""

    segment_id: int
    order_id: str
    status: str
    action: str = "add_to_segment"


@dataclass(frozen=True, slots=True)
class SendEmail:
    """A template e-mail to the contact; once per order and status."""

    order_id: str
    status: str
    email_id: int
    tokens: Mapping[str, str] = field(default_factory=dict)
    action: str = "send_email"


@dataclass(frozen=True, slots=True)
class SegmentRemove:
    """The end of a membership of a segment; once per record and status, removing twice is harmless (mautic:245)."""

    segment_id: int
    order_id: str
    status: str
    action: str = "remove_from_segment"


@dataclass(frozen=True, slots=True)
class DeleteContact:
    """The end of a contact whose customer was deleted in the store; `customer_id` is the account's.

    It is done only to the person's own contact that nothing else of ours holds; twice is harmless, for the second time
    there is none (mautic:172).
    """

    order_id: str
    status: str
    customer_id: int
    action: str = "delete_contact"


FollowUp = Note | SegmentAdd | SegmentRemove | SendEmail | DeleteContact


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done for one change; `withheld` says why an e-mail does not follow it, "" when none is missing.

    What is `asserted` is written even if Mautic confirmed it before: somebody may have taken it away there since.
    """

    contact: ContactWrite
    follow_ups: tuple[FollowUp, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    withheld: str = ""
    asserted: bool = False


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is to be sent; `code` for machines, `sentence` for people."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What a person's paid orders in one currency add up to, less refunds; `currency` is "" where nobody tells it."""

    currency: str
    total: Decimal
    orders: int
    decimals: int | None = None

    @property
    def text(self) -> str:
        """Return the total in plain digits and the currency's decimals."""
        return money.text(self.total, self.currency, self.decimals)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A person's paid orders in the shop's currency, from the order ledger (P38).

    `other_currencies` counts paid orders that were left out because they are in another currency. `unsure` names the
    currencies of orders that could not be added up because the shop's is not known; the other values are empty then.
    The days are the shop's (YYYY-MM-DD), "" where the store does not tell them. `by_currency` has the sums in all
    currencies, by code; those are sure whatever is not known of the shop.
    """

    total_spent: Decimal = Decimal(0)
    order_count: int = 0
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    other_currencies: int = 0
    currency: str = ""
    decimals: int | None = None
    first_day: str = ""
    last_day: str = ""
    unsure: tuple[str, ...] = ()
    by_currency: tuple[CurrencyTotal, ...] = ()

    @property
    def is_paid(self) -> bool:
        """Return whether an order counts, in whatever currency."""
        return bool(self.order_count or self.other_currencies or self.unsure)

    @property
    def average(self) -> Decimal:
        """Return total_spent / order_count in the currency's decimals, 0 without orders."""
        if not self.order_count:
            return Decimal(0)
        return money.rounded(self.total_spent / self.order_count, self.currency, self.decimals)


@dataclass(frozen=True, slots=True)
class MauticField:
    """A contact field as Mautic reports it; `limit` in characters, None for none or unknown; `choices` for selects.

    `unique` is Mautic's unique identifier: it takes a contact with the same value for the same person (mautic:297).
    `required` ones refuse a new contact that does not say them. `number` is its id, which a field of the same alias
    that is made anew has not; `since` is when it was first seen with this id, in ISO 8601, "" when it was always there.
    """

    alias: str
    type: str
    label: str = ""
    limit: int | None = 64
    choices: tuple[str, ...] = ()
    published: bool = True
    unique: bool = False
    required: bool = False
    number: int | None = field(default=None, compare=False)
    since: str = ""


@dataclass(frozen=True, slots=True)
class FieldNeed:
    """A field that a module writes and Mautic must have.

    `limit` is the least length of a text field, `scale` how many decimals a number field is made with, `choices` what a
    select is made with. `modules` are the parts of the settings that want it: contacts, orders, carts. One that is
    `own` was chosen by a person among Mautic's fields: it is looked after, and never made by us.
    """

    alias: str
    label: str
    type: str
    limit: int | None = None
    modules: tuple[str, ...] = ("orders",)
    group: str = "professional"
    scale: int = 2
    choices: tuple[str, ...] = ()
    own: bool = False
