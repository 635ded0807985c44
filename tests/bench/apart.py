"""Both stand-ins in one process of their own, so that they take no processor time from what is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Apart:
    """A store and a Mautic in another process; `whereabouts` are a connector's connection settings."""

    whereabouts: dict[str, str]
    process: subprocess.Popen[str]

    def counts(self) -> dict[str, int]:
        """Return how many calls of each side there were since this was asked last, and how many wrote to Mautic."""
        return self._ask("counts")

    def _ask(self, question: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def apart(customers: int, orders: int) -> Iterator[Apart]:
    """Give both stand-ins, the store with so many customers and orders."""
    command = [sys.executable, "-c", _CHILD, str(customers), str(orders)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield Apart(json.loads(child.stdout.readline()), child)
    finally:
        child.stdin.close()
        child.wait(timeout=20)


_CHILD = """
import json, sys
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.sandbox.store.bulk import seed_bulk
from tests.bench.world import whereabouts
with StoreServer() as store, MauticServer() as mautic:
    seed_bulk(store.state, customers=int(sys.argv[1]), orders=int(sys.argv[2]))
    print(json.dumps(whereabouts(store, mautic)), flush=True)
    for line in sys.stdin:
        writes = sum(call.method != "GET" and "/token" not in call.path for call in mautic.calls)
        found = {"store": store.calls.total, "mautic": mautic.calls.total, "writes": writes}
        store.calls.reset()
        mautic.calls.reset()
        print(json.dumps(found), flush=True)
"""
