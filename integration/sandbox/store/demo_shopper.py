"""A thread that shops: an order now and then, sometimes a change of status or a refund, every so often a faulty one."""

from __future__ import annotations

import random
import threading
from typing import Any, Self

from integration.sandbox.store import demo_people, documents
from integration.sandbox.store.demo_shop import lines
from integration.sandbox.store.shop import Shop

FAULTY_EMAIL = "someone^refused@example.com"


class Shopper:
    """Buys every `interval` seconds while started; each `faulty_every`-th order is one that gives trouble."""

    def __init__(self, shop: Shop, interval: float = 20.0, faulty_every: int = 7, rng_seed: int = 3) -> None:
        self.shop = shop
        self.interval = interval
        self.faulty_every = faulty_every
        self.bought: list[int] = []
        self._chance = random.Random(rng_seed)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin to shop."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="store-shopper", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop shopping."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.wait(self.interval):
            self.step()

    def step(self) -> dict[str, Any]:
        """Do one thing: buy, and now and then move an older order on; returns the new order."""
        with self.shop.state.lock:
            number = len(self.bought)
            if number % 3 == 2:
                self._move_on(self._chance.choice(self.bought))
            order = self.shop.place_order(**self._fields(number))
        self.bought.append(order["id"])
        return order

    def _fields(self, number: int) -> dict[str, Any]:
        billing = demo_people.address(self._chance, number, f"shopper{number}@example.com")
        faulty = self.faulty_every and number % self.faulty_every == self.faulty_every - 1
        if faulty:
            billing.update(self._trouble(number // self.faulty_every))
        bought = lines(self.shop.state, self._chance, number)
        return {"billing": billing, "line_items": bought, "status": "pending" if number % 4 == 3 else "processing"}

    def _trouble(self, count: int) -> dict[str, str]:
        troubles: tuple[dict[str, str], ...] = (
            {"email": FAULTY_EMAIL},
            {"address_1": demo_people.LONG_STREET[:300].ljust(300, "x")},
            {"country": "XX", "state": "", "city": "Nowhere"},
        )
        return troubles[count % len(troubles)]

    def _move_on(self, number: int) -> None:
        row = self.shop.state.orders.get(number)
        if row is None:
            return
        total = documents.of_order(self.shop.state, row)["total"]
        if row.status == "completed" and float(total) > 1:
            self.shop.refund(number, "1.00", "Reso")
        else:
            self.shop.change_status(number, "completed" if row.status == "processing" else "processing")
