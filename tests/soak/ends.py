"""Both ends in a process of their own, commanded by lines of JSON: a stand-in store with its shoppers, and a Mautic.

Prints where they are, then answers each line on standard input with one on standard output, until the input ends.
A line is {"do": one of COMMANDS, …its arguments}.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.seed import seed as seed_mautic
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_catalogue import stock
from tests.bench.world import whereabouts
from tests.soak.shoppers import Shoppers

VERSIONS = {"5.2": "5.2.1", "7.0": "7.0.0"}


class Ends:
    """The two servers, who shops, and what can be commanded of them."""

    def __init__(self, store: StoreServer, mautic: MauticServer, shoppers: Shoppers) -> None:
        self.store = store
        self.mautic = mautic
        self.shoppers = shoppers
        self.commands: Mapping[str, Callable[..., Any]] = {
            "fault": self.fault,
            "shop_fault": self.shop_fault,
            "mode": self.mode,
            "webhooks": self.webhooks,
            "well": self.well,
            "shop": self.shoppers.start,
            "rest": self.shoppers.stop,
            "settled": lambda: self.store.webhook_queue.settle(60),
            "facts": self.facts,
        }

    def fault(self, side: str, kind: str, value: Any = None, **options: Any) -> None:
        """Put a fault of faults.py in force at one side."""
        server = self.store if side == "store" else self.mautic
        server.faults.add(kind, value, **options)

    def shop_fault(self, kind: str) -> None:
        """Put a fault in force that only a shop has."""
        self.store.shop_faults.add(kind)

    def mode(self, name: str) -> None:
        """Bring the shop into a mode, such as maintenance."""
        self.store.mode = name

    def webhooks(self, **switches: Any) -> None:
        """Set switches of the webhooks' queue: latency, drop, repeat, silent; or hold them."""
        queue = self.store.webhook_queue
        if switches.pop("hold", False):
            queue.hold()
        for name, value in switches.items():
            setattr(queue, name, value)

    def well(self) -> None:
        """Take every fault out of force."""
        self.store.faults.clear()
        self.mautic.faults.clear()
        self.store.shop_faults.clear()
        self.store.mode = "normal"
        queue = self.store.webhook_queue
        queue.latency, queue.drop, queue.repeat, queue.silent = 0.05, 0, 0, False
        queue.release()

    def facts(self, path: str) -> None:
        """Write to a file what both ends hold: the only thing that the count looks at."""
        Path(path).write_text(json.dumps({"store": self._of_store(), "mautic": self._of_mautic()}), "utf-8")

    def _of_store(self) -> dict[str, Any]:
        with self.store.state.lock:
            orders = [self.store.shop.shown(row.id) for row in self.store.state.orders]
            return {
                "orders": orders,
                "accounts": self.store.shop.customers,
                "statuses": self.shoppers.statuses,
                "odd": sorted(self.shoppers.odd),
                "acts": self.shoppers.acts,
                "calls": self.store.calls.total,
            }

    def _of_mautic(self) -> dict[str, Any]:
        with self.mautic.state.lock:
            return {**self.mautic.state.dump(), "calls": self.mautic.calls.total}


def main() -> None:
    """Serve and obey until standard input ends."""
    parser = argparse.ArgumentParser(prog="ends")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--mautic", choices=VERSIONS, required=True)
    asked = parser.parse_args()
    with StoreServer() as store, MauticServer(version=VERSIONS[asked.mautic]) as mautic:
        stock(store.state)
        seed_mautic(mautic.state)
        ends = Ends(store, mautic, Shoppers(store.shop, asked.seed))
        print(json.dumps(whereabouts(store, mautic)), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            answer = ends.commands[order.pop("do")](**order)
            print(json.dumps(answer), flush=True)
        with suppress(RuntimeError):
            ends.shoppers.stop()


if __name__ == "__main__":
    main()
