"""Counts from what the stand-ins hold what must be in Mautic, and tells what is lost, doubled or wrong.

Nothing of the app is asked or used here: the rules are written anew, from the data of the shop as a shop owner sees it.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.soak.shoppers import REFUSED_EMAIL

#: As the connector of the soak is configured.
SYNCED = ("processing", "completed", "refunded")
PAID = ("processing", "completed")
EMAILS = {"completed": 1, "refunded": 2}
SEGMENTS = {"processing": 2, "completed": 1}
CURRENCY = "EUR"
#: The first 25 characters are the names under which Mautic keeps the fields.
DATA, TOTAL, COUNT = "mautic_woo_order_data", "mautic_woo_total_spent", "mautic_woo_order_count"
MARKER = re.compile(r"\[order (\d+) ([a-z-]+)\]")


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is not as it must be: lost, doubled or wrong."""

    kind: str
    sentence: str


class Count:
    """The facts of both ends, and every difference between them."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._store, self._mautic = facts["store"], facts["mautic"]
        self.orders: list[dict[str, Any]] = self._store["orders"]
        self._statuses = {int(number): names for number, names in self._store["statuses"].items()}
        self._odd = set(self._store["odd"])
        self._contacts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for contact in self._mautic["contacts"]:
            if contact["values"].get("email"):
                self._contacts[_person(contact["values"]["email"])].append(contact)
        self._of_person: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for order in self.orders:
            if order["status"] != "trash":
                self._of_person[_person(order["billing"]["email"])].append(order)
        self._of_person.pop(_person(REFUSED_EMAIL), None)
        self.figures: dict[str, int] = {}

    def differences(self, *, accounts: bool) -> list[Found]:
        """Return all that is lost, doubled or wrong; people who only have an account are asked for with `accounts`."""
        found = [*self._people(accounts), *self._values(), *self._notes(), *self._mails(), *self._segments()]
        self.figures |= {
            "orders": len(self.orders),
            "accounts": len(self._store["accounts"]),
            "contacts": len(self._mautic["contacts"]),
            "notes": len(self._mautic["notes"]),
            "e-mails": len(self._mautic["sent"]),
            "calls to the store": self._store["calls"],
            "calls to Mautic": self._mautic["calls"],
        }
        return found

    def _people(self, accounts: bool) -> Iterator[Found]:
        wanted = {each for each, orders in self._of_person.items() if any(o["status"] in SYNCED for o in orders)}
        if accounts:
            people = (each for each in self._store["accounts"] if each["role"] == "customer")
            wanted |= {_person(each["email"]) for each in people}
        self.figures["people"] = len(wanted)
        for person in sorted(wanted - self._contacts.keys()):
            yield Found("lost", f"{person} is no contact")
        for person, contacts in self._contacts.items():
            if len(contacts) > 1:
                yield Found("doubled", f"{person} is {len(contacts)} contacts")

    def _values(self) -> Iterator[Found]:
        for person, contacts in sorted(self._contacts.items()):
            if not person.startswith("soak"):
                continue
            values, orders = contacts[-1]["values"], self._of_person.get(person, [])
            yield from _sums(person, values, orders)
            yield from _latest(person, values, orders)

    def _notes(self) -> Iterator[Found]:
        marks = [MARKER.search(str(note["text"])) for note in self._mautic["notes"].values()]
        counted = Counter((int(mark[1]), mark[2]) for mark in marks if mark)
        if len(marks) != counted.total():
            yield Found("wrong", f"{len(marks) - counted.total()} notes without a mark")
        yield from self._once("note", counted, SYNCED)

    def _mails(self) -> Iterator[Found]:
        counted: Counter[tuple[int, str]] = Counter()
        for mail in self._mautic["sent"]:
            status = mail["tokens"].get("{status}", "")
            counted[int(mail["tokens"].get("{order_id}", 0)), status] += 1
            if EMAILS.get(status) != mail["email_id"]:
                yield Found("wrong", f"e-mail {mail['email_id']} was sent for {status}")
        yield from self._once("e-mail", counted, tuple(EMAILS))

    def _once(self, what: str, counted: Counter[tuple[int, str]], statuses: tuple[str, ...]) -> Iterator[Found]:
        """Each at most once, of nothing that did not happen, and of the status that an order ended in exactly once."""
        for (number, status), times in sorted(counted.items()):
            if times > 1:
                yield Found("doubled", f"{times} {what}s for order {number} {status}")
            if status not in self._statuses.get(number, []):
                yield Found("wrong", f"{what} for order {number} {status}, which it never was")
        for order in self.orders:
            due = order["status"] in statuses and self._is_plain(order)
            if due and not counted[order["id"], order["status"]]:
                yield Found("lost", f"no {what} for order {order['number']} {order['status']}")

    def _is_plain(self, order: Mapping[str, Any]) -> bool:
        """Tell whether the order's last status must have been seen to come, whatever was missed meanwhile.

        Not so where it was in the trash or given away. A shop keeps no date of the status "refunded", and the date of
        the first payment only: those statuses may come back without being told from what was there before.
        """
        gone_through = self._statuses[order["id"]]
        told = order["status"] == "completed" or gone_through.count(order["status"]) == 1
        return order["id"] not in self._odd and told and order["billing"]["email"] != REFUSED_EMAIL

    def _segments(self) -> Iterator[Found]:
        for person, orders in sorted(self._of_person.items()):
            for order in orders:
                segment = SEGMENTS.get(order["status"])
                contacts = self._contacts.get(person)
                if segment and contacts and str(segment) not in map(str, contacts[-1]["segments"]):
                    yield Found("lost", f"{person} is not in segment {segment} (order {order['number']})")
        for contacts in self._contacts.values():
            added = Counter(each["id"] for each in contacts[-1]["history"] if "add" in str(each["action"]))
            yield from (
                Found("doubled", f"contact {contacts[-1]['id']} came into segment {number} {times} times")
                for number, times in added.items()
                if times > 1
            )


def _person(email: str) -> str:
    return email.strip().lower()


def _net(order: Mapping[str, Any]) -> Decimal:
    return Decimal(order["total"]) + sum((Decimal(each["total"]) for each in order["refunds"]), Decimal(0))


def _sums(person: str, values: Mapping[str, Any], orders: list[dict[str, Any]]) -> Iterator[Found]:
    paid = [each for each in orders if each["status"] in PAID and each["currency"] == CURRENCY]
    counted = [each for each in paid if not each["refunds"] or _net(each) != 0]
    wanted = {TOTAL: sum(map(_net, counted), Decimal(0)), COUNT: Decimal(len(counted))}
    for alias, value in wanted.items():
        held = Decimal(str(values.get(alias[:25]) or values.get(alias) or 0))
        if held != value:
            yield Found("wrong", f"{person}: {alias} is {held}, not {value}")


def _latest(person: str, values: Mapping[str, Any], orders: list[dict[str, Any]]) -> Iterator[Found]:
    synced = [each for each in orders if each["status"] in SYNCED]
    newest = max(synced, key=lambda each: (each["date_created_gmt"], each["id"]), default=None)
    held = json.loads(values.get(DATA[:25]) or values.get(DATA) or "{}")
    told = (held.get("order_id"), held.get("status"))
    wanted = (newest["id"], newest["status"]) if newest else (None, None)
    if told != wanted:
        yield Found("wrong", f"{person}: the latest order is {told}, not {wanted}")
