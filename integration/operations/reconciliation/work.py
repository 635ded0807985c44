"""What the clock does for reconciliation: begins nightly ones, repairs what was asked for, forgets whom they met."""

from __future__ import annotations

from integration.operations.reconciliation import findings, nightly, repairs
from integration.pipeline.services import Services


def tick(services: Services) -> int:
    """Begin what is due tonight, repair what was asked for, and return how many were begun.

    The worker takes what has begun, like any run.
    """
    begun = nightly.begin(services)
    repairs.work(services)
    findings.purge(services)
    return begun
