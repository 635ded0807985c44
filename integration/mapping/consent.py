"""Marketing consent (P18): what the store's records say of it, and whether a person consents by all that was said.

What is said is kept in a ledger, one entry for each consent that was given or withdrawn. The newest entry decides: an
account's value that was taken back outweighs the box of an older order, and the box of a newer order counts again. An
order without consent takes nothing back, for who leaves a box empty has only not asked for more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integration.errors import MappingError
from integration.plans import Skip
from integration.records import Customer, Order
from integration.settings import ConsentModule, where

#: Where a consent comes from; those of carts are about reminders only and count for nothing else.
CUSTOMER, ORDER, CART, FORM, MAUTIC = "customer", "order", "cart", "form", "mautic"
#: What happened to it; the last three are told by Mautic.
GIVEN, WITHDRAWN = "given", "withdrawn"
UNSUBSCRIBED, BOUNCED, BY_HAND = "unsubscribed", "bounced", "by_hand"
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that was given, or withdrawn, at a moment.

    `ref` is the customer, order, cart or subscription that says it, `key` the meta key by which it does, `value` what
    stands there.
    """

    state: str
    source: str
    ref: str
    at: datetime
    email: str = ""
    key: str = ""
    value: str = ""
    wording: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Return what tells whose word it is: one place says one thing at a time."""
        return self.source, self.ref, self.key


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands: `given` by the newest entry, `withdrawn` where they had consented; neither: never did.

    `again` says that it was given after a withdrawal. `new` are the entries that the ledger lacks.
    """

    given: bool = False
    withdrawn: bool = False
    again: bool = False
    new: tuple[Consent, ...] = ()


def means_yes(value: Any, yes_values: Collection[str]) -> bool:
    """Tell whether a value is one of those that mean yes; of a list of one value that one."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    wanted = {each.strip().casefold() for each in yes_values}
    if isinstance(value, bool):
        return value and not wanted.isdisjoint(_TRUE)
    return isinstance(value, str | int | float) and f"{value}".strip().casefold() in wanted


def of_customer(customer: Customer, email: str, module: ConsentModule, seen_at: datetime) -> tuple[Consent, ...]:
    """Return what an account says, nothing where no key is looked at; raises MappingError (consent_unread)."""
    key = module.customer_field
    if not key:
        return ()
    if key not in customer.asked:
        raise unread(key)
    at = customer.modified_at or customer.created_at or seen_at
    return (_said(module, CUSTOMER, str(customer.id), key, customer.asked[key], at, email),)


def of_order(order: Order, module: ConsentModule, known: Iterable[Consent], seen_at: datetime) -> tuple[Consent, ...]:
    """Return what an order says: its consent is of the day it was placed, its withdrawal of the day it was changed.

    Raises MappingError (consent_unread).
    """
    key = module.order_field
    if not key:
        return ()
    if key not in order.asked:
        raise unread(key)
    before = any(each.place == (ORDER, str(order.id), key) for each in known)
    at = (order.modified_at if before else order.created_at) or order.modified_at or order.created_at or seen_at
    return (_said(module, ORDER, str(order.id), key, order.asked[key], at, order.email),)


def _said(module: ConsentModule, source: str, ref: str, key: str, value: Any, at: datetime, email: str) -> Consent:
    state = GIVEN if means_yes(value, module.yes_values) else WITHDRAWN
    shown = "" if value is None else str(value)[:100]
    return Consent(state, source, ref, at, email, key, shown, module.wording if state == GIVEN else "")


def standing(known: Sequence[Consent], said: Iterable[Consent], module: ConsentModule) -> Standing:
    """Return where a person stands by what is known, oldest first, and what their records say now.

    Whoever never consented has withdrawn nothing; a record that is older than the last word of its place says nothing
    new. Entries by keys that are looked at no more, and those of carts, count for nothing.
    """
    entries = [each for each in known if each.state in (GIVEN, WITHDRAWN)]
    new: list[Consent] = []
    for each in sorted(said, key=_order):
        last = next((one for one in reversed(entries) if one.place == each.place), None)
        before = last.state if last else WITHDRAWN
        if each.state != before and (last is None or _order(each) > _order(last)):
            new.append(each)
            entries.append(each)
    counted = [each for each in entries if _counts(each, module)]
    newest = max(counted, key=_order, default=None)
    state = newest.state if newest else ""
    again = state == GIVEN and any(each.state == WITHDRAWN for each in counted)
    return Standing(state == GIVEN, state == WITHDRAWN, again, tuple(new))


def _order(entry: Consent) -> tuple[datetime, bool]:
    """Return what tells which word is newer; of one second, which is as exact as the store is, the withdrawal is."""
    return entry.at, entry.state == WITHDRAWN


def _counts(entry: Consent, module: ConsentModule) -> bool:
    keys: Mapping[str, str] = {CUSTOMER: module.customer_field, ORDER: module.order_field}
    return entry.source == FORM or (entry.source in keys and entry.key == keys[entry.source])


def unread(key: str) -> MappingError:
    """Return the error of a record whose meta data the store did not tell: nobody is mailed, or barred, on a guess."""
    sentence = f"The store gave the record without its meta data, so “{key}” could not be looked at."
    hint = "Look for a plugin that changes the answers of the store's API, then send the record again."
    return MappingError("consent_unread", sentence, hint)


def skip(module: ConsentModule) -> Skip:
    """Return why nobody without consent is sent, naming the keys and the page."""
    keys = [key for key in (module.customer_field, module.order_field) if key]
    named = " or ".join(f"“{key}”" for key in dict.fromkeys(keys))
    sentence = f"The person has not consented: no yes in {named}; what is done then is chosen under "
    return Skip("no_consent", f"{sentence}{where('consent.without')}.")
