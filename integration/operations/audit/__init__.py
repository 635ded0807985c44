"""The audit log (F2): who did what, append-only and chained, so that tampering shows."""

from __future__ import annotations

from integration.operations.audit.chain import Chain, verify
from integration.operations.audit.diffs import CHANGED, changes, masked_diff
from integration.operations.audit.query import AUDIT_MAX_ROWS, AuditQuery, count, read, walk
from integration.operations.audit.retirement import retire_chain
from integration.operations.audit.writing import AppendOnly, record

__all__ = [
    "CHANGED",
    "AUDIT_MAX_ROWS",
    "AppendOnly",
    "AuditQuery",
    "Chain",
    "changes",
    "count",
    "masked_diff",
    "read",
    "record",
    "retire_chain",
    "verify",
    "walk",
]
