"""Waiting for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], what: str = "what was waited for", seconds: float = 30) -> Found:
    """Look again and again, and return what is found once there is something; AssertionError if it never comes."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"{what} did not come"
        time.sleep(0.02)
    return found
