"""People who shop at random, and the shopkeeper who changes what they did; keeps a journal for the count."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from integration.sandbox.store.problems import Refused
from integration.sandbox.store.shop import Shop

#: Seconds between two acts.
PAUSE_MIN_S, PAUSE_MAX_S = 0.3, 1.2
#: Mautic refuses this address, so an order with it ends as a dead letter for a reason of its own.
REFUSED_EMAIL = "someone^refused@example.com"
NEXT_STATUS = {"pending": "processing", "on-hold": "processing", "processing": "completed"}
CITIES = ("Milano", "Roma", "Torino", "Napoli", "Palermo")


class Shoppers:
    """A thread that does one thing after the other in the shop until it is stopped."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self._shop = shop
        self._chance = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soak-shoppers", daemon=True)
        self._people = 0
        #: Order id -> the statuses it went through, and whether it was given away or was in the trash.
        self.statuses: dict[int, list[str]] = {}
        self.odd: set[int] = set()
        self.acts: dict[str, int] = {}
        self._acts: tuple[tuple[Callable[[], bool], int], ...] = (
            (self._buy_as_new, 20),
            (self._buy_again, 22),
            (self._register, 10),
            (self._buy_with_account, 14),
            (self._move_on, 30),
            (self._cancel, 4),
            (self._refund_part, 5),
            (self._refund_all, 5),
            (self._edit_billing, 8),
            (self._give_away, 3),
            (self._edit_account, 8),
            (self._close_account, 1),
            (self._trash, 4),
            (self._restore, 3),
            (self._buy_refused, 1),
        )

    def start(self) -> None:
        """Begin to shop."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the act in hand and shop no more."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._chance.uniform(PAUSE_MIN_S, PAUSE_MAX_S)):
            self.step()

    def step(self) -> None:
        """Do one act that can be done."""
        acts, weights = zip(*self._acts, strict=True)
        with self._shop.state.lock:
            act = self._chance.choices(acts, weights)[0]
            try:
                done = act()
            except Refused:
                done = False
            if done:
                name = act.__name__.strip("_")
                self.acts[name] = self.acts.get(name, 0) + 1

    def _email(self, number: int) -> str:
        plain = f"soak{number}@example.com"
        return self._chance.choice((plain, plain, plain, plain.upper(), plain.title()))

    def _billing(self, email: str) -> dict[str, str]:
        number = self._chance.randint(1, 99)
        named = {"first_name": f"Ada{number}", "last_name": f"Rossi{number}", "email": email}
        return {**named, "address_1": f"Via Roma {number}", "city": self._chance.choice(CITIES), "country": "IT"}

    def _buy(self, email: str, customer_id: int = 0) -> bool:
        sold = [each for each, row in self._shop.state.products.items() if row["type"] != "variable" and row["price"]]
        count = self._chance.randint(1, 3)
        status = self._chance.choice(("pending", "on-hold", "processing", "processing", "completed"))
        order = self._shop.place_order(
            billing=self._billing(email),
            customer_id=customer_id,
            status=status,
            currency=self._chance.choice(("EUR",) * 19 + ("USD",)),
            line_items=[{"product_id": self._chance.choice(sold), "quantity": 1 + n} for n in range(count)],
            payment_method="stripe",
        )
        self.statuses[order["id"]] = [status]
        return True

    def _buy_as_new(self) -> bool:
        self._people += 1
        return self._buy(self._email(self._people))

    def _buy_again(self) -> bool:
        return self._people > 0 and self._buy(self._email(self._chance.randint(1, self._people)))

    def _buy_refused(self) -> bool:
        return self._buy(REFUSED_EMAIL)

    def _register(self) -> bool:
        self._people += 1
        # Sometimes somebody who bought as a guest opens an account.
        number = self._chance.choice((self._people, self._chance.randint(1, self._people)))
        email = f"soak{number}@example.com"
        names = {"first_name": f"Acc{number}", "last_name": "Verdi"}
        self._shop.register_customer(email=email, **names, billing=self._billing(email))
        return True

    def _account(self) -> Any:
        people = [each for each in self._shop.state.people.values() if each.email.startswith("soak")]
        return self._chance.choice(people) if people else None

    def _buy_with_account(self) -> bool:
        person = self._account()
        return person is not None and self._buy(person.email, person.id)

    def _edit_account(self) -> bool:
        if (person := self._account()) is None:
            return False
        self._shop.edit_customer(person.id, billing={"city": self._chance.choice(CITIES)})
        return True

    def _close_account(self) -> bool:
        if (person := self._account()) is None:
            return False
        self._shop.delete_customer(person.id)
        return True

    def _order(self, *statuses: str) -> int | None:
        rows = self._shop.state.orders
        found = [n for n in self.statuses if (row := rows.get(n)) is not None and (row.status in statuses)]
        return self._chance.choice(found) if found else None

    def _into(self, number: int | None, status: str = "") -> bool:
        if number is None:
            return False
        self._shop.change_status(number, status or NEXT_STATUS[self._shop.state.order(number).status])
        return self._note(number)

    def _note(self, number: int) -> bool:
        self.statuses[number].append(self._shop.state.order(number).status)
        return True

    def _move_on(self) -> bool:
        return self._into(self._order(*NEXT_STATUS))

    def _cancel(self) -> bool:
        return self._into(self._order("pending", "processing"), "cancelled")

    def _refund_part(self) -> bool:
        number = self._order("processing", "completed")
        if number is None or float(self._shop.shown(number)["total"]) < 2:
            return False
        self._shop.refund(number, "1.00", "Reso")
        return self._note(number)

    def _refund_all(self) -> bool:
        if (number := self._order("completed")) is None:
            return False
        self._shop.refund(number, self._shop.shown(number)["total"], "Reso completo")
        return self._note(number)

    def _edit_billing(self) -> bool:
        if (number := self._order("processing", "completed", "on-hold")) is None:
            return False
        self._shop.edit_order(number, billing={"city": self._chance.choice(CITIES), "first_name": "Edit"})
        return True

    def _give_away(self) -> bool:
        if (number := self._order("processing", "completed")) is None:
            return False
        self.odd.add(number)
        self._shop.edit_order(number, billing={"email": self._email(self._chance.randint(1, self._people + 1))})
        return True

    def _trash(self) -> bool:
        if (number := self._order("processing", "completed", "cancelled", "pending")) is None:
            return False
        self.odd.add(number)
        self._shop.trash(number)
        return True

    def _restore(self) -> bool:
        if (number := self._order("trash")) is None:
            return False
        self._shop.restore(number)
        return self._note(number)
