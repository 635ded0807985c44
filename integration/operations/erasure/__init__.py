"""Erasing a person (X12): asked for, done by a job that survives being killed, and proved by a receipt."""

from __future__ import annotations

from integration.operations.erasure.asking import Asked, Preview, ask, checked, preview, unblock
from integration.operations.erasure.in_systems import CHOICES, DELETE, KEEP, STRIP
from integration.operations.erasure.job import EVERY_S, LONG_WAIT, tick, work
from integration.operations.erasure.receipts import as_dict, as_json, as_text, find, listed, where_of

__all__ = [
    "CHOICES",
    "DELETE",
    "EVERY_S",
    "KEEP",
    "LONG_WAIT",
    "STRIP",
    "Asked",
    "Preview",
    "as_dict",
    "as_json",
    "as_text",
    "ask",
    "checked",
    "find",
    "listed",
    "preview",
    "tick",
    "unblock",
    "where_of",
    "work",
]
