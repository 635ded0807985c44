"""A stand-in store that takes its time over each full order: prints its address, then serves."""

from __future__ import annotations

import random
import sys
import threading
import time

from integration.sandbox.store import StoreServer
from integration.sandbox.store.bulk import GAP
from integration.sandbox.store.demo_catalogue import stock
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.people import Person

#: What of a real shop's orders an import brings, and what it only counts.
STATUSES = ("completed",) * 12 + ("refunded",)


class SlowShop(StoreServer):
    """A store of two processors that each make one full order at a time."""

    order_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self._processors = threading.BoundedSemaphore(2)

    def _standing(self, request: ApiRequest) -> ApiAnswer:
        answer = super()._standing(request)
        if self.order_s and isinstance(answer.body, list) and "line_items" in str(request.query.get("_fields", "")):
            for _ in answer.body:
                with self._processors:
                    time.sleep(self.order_s)
        return answer


def fill(shop: StoreServer, people: int, customers: int, orders: int) -> None:
    """Put in people of whom the first have accounts, and orders of them all, each guest with one at least."""
    state, chance, end = shop.state, random.Random(7), shop.state.now()
    with state.lock:
        stock(state)
        mails = [f"buyer{number}@example.com" for number in range(people)]
        accounts = {mail: _person(shop, n, mail, end) for n, mail in enumerate(mails[:customers], 1)}
        state.people.update((person.id, person) for person in accounts.values())
        buyers = [*mails[customers:], *chance.choices(mails, k=orders - (people - customers))]
        chance.shuffle(buyers)
        rows = []
        for number, mail in enumerate(buyers):
            row = Row(state.next_id("post"), chance.choice(STATUSES), end - (orders - number) * GAP, end, recipe=number)
            row.email, row.customer_id = mail, accounts[mail].id if mail in accounts else 0
            row.modified, row.paid, row.completed = row.created, row.created, row.created
            rows.append(row)
        state.orders.add_many(rows)
        state.changed()


def _person(shop: StoreServer, number: int, mail: str, end: int) -> Person:
    created = end - number * 3600
    return Person(shop.state.next_id("user"), created, mail, f"cust{number:07}", modified=created, recipe=number)


def main() -> None:
    """Serve until the standard input is closed; arguments: people, customers, orders, seconds an order."""
    people, customers, orders = (int(each) for each in sys.argv[1:4])
    with SlowShop() as shop:
        fill(shop, people, customers, orders)
        shop.order_s = float(sys.argv[4])
        print(shop.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
