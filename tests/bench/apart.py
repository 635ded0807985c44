"""Both stand-ins in one process of their own, so that they take no processor time from what is measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.child import Child, python


@dataclass
class Apart:
    """A store and a Mautic in another process; `whereabouts` are a connector's connection settings."""

    whereabouts: dict[str, str]
    process: Child

    def counts(self) -> dict[str, int]:
        """Return how many calls of each side there were since this was asked last, and how many wrote to Mautic."""
        found: dict[str, int] = self.process.ask("counts")
        return found

    def take(self, order_s: float) -> None:
        """Have the store take so many seconds for each full order, on one of two processors."""
        self.process.ask(f"order_s {order_s}")


@contextmanager
def apart(customers: int, orders: int) -> Iterator[Apart]:
    """Give both stand-ins, the store with so many customers and orders."""
    with python("-c", _CHILD, str(customers), str(orders)) as child:
        yield Apart(json.loads(child.line()), child)


_CHILD = """
import json, sys
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store.bulk import seed_bulk
from tests.bench.slow_shop import SlowShop
from tests.bench.world import whereabouts
with SlowShop() as store, MauticServer() as mautic:
    seed_bulk(store.state, customers=int(sys.argv[1]), orders=int(sys.argv[2]))
    print(json.dumps(whereabouts(store, mautic)), flush=True)
    for line in sys.stdin:
        what, _, number = line.partition(" ")
        if what == "order_s":
            store.order_s = float(number)
        writes = sum(call.method != "GET" and "/token" not in call.path for call in mautic.calls)
        found = {"store": store.calls.total, "mautic": mautic.calls.total, "writes": writes}
        store.calls.reset()
        mautic.calls.reset()
        print(json.dumps(found), flush=True)
"""
