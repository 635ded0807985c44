"""Sums paid orders of the ledger by their currency."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from integration import money
from integration.pipeline.ingest.known_order import KnownOrder
from integration.plans import CurrencyTotal


def of(rows: Iterable[KnownOrder], shop: str, decimals: int | None) -> tuple[CurrencyTotal, ...]:
    """Return the sums of paid orders by their currency; `decimals` are those of the shop's own."""
    nets: dict[str, list[Decimal]] = {}
    for row in rows:
        nets.setdefault(row.currency or shop, []).append(Decimal(row.net_total))
    known = {code: decimals if code == shop else None for code in nets}
    return tuple(
        CurrencyTotal(
            code, sum((money.rounded(net, code, known[code]) for net in each), Decimal(0)), len(each), known[code]
        )
        for code, each in sorted(nets.items())
    )
