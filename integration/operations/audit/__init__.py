"""The audit log (F2): who did what, append-only and chained, so that tampering shows."""

from __future__ import annotations

from integration.operations.audit.chain import Chain
from integration.operations.audit.chain import verify
from integration.operations.audit.diffs import CHANGED
from integration.operations.audit.diffs import changes
from integration.operations.audit.diffs import masked_diff
from integration.operations.audit.query import SIZE
from integration.operations.audit.query import AuditQuery
from integration.operations.audit.query import read
from integration.operations.audit.query import walk
from integration.operations.audit.retirement import retire_chain
from integration.operations.audit.writing import AppendOnly
from integration.operations.audit.writing import record

__all__ = [
    "CHANGED",
    "SIZE",
    "AppendOnly",
    "AuditQuery",
    "Chain",
    "changes",
    "masked_diff",
    "read",
    "record",
    "retire_chain",
    "verify",
    "walk",
]
