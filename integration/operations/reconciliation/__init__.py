"""Reconciliation (X4): compares the store and our records with Mautic, lists what differs, repairs it on demand.

It is a run of its own kind, done in slices of a few seconds from a cursor, so that any process may go on with it. It
never writes to Mautic itself: what is repaired takes the same road as everything else.
"""

from __future__ import annotations

from integration.operations.reconciliation.execution import ReconciliationExecution
from integration.operations.reconciliation.lifecycle import ReconciliationGoing, cancel, going, start
from integration.operations.reconciliation.listing import KINDS, DriftQuery, latest, read_page
from integration.operations.reconciliation.repairs import ask
from integration.operations.reconciliation.work import tick

__all__ = [
    "KINDS",
    "DriftQuery",
    "ReconciliationExecution",
    "ReconciliationGoing",
    "ask",
    "cancel",
    "going",
    "latest",
    "read_page",
    "start",
    "tick",
]
