"""The lines of those who wait in a group commit."""

from __future__ import annotations

from typing import Any

from integration.pipeline.group_commit import GroupCommit


def waiting_behind(groups: GroupCommit[Any], key: int) -> int:
    """How many wait for one that has the turn, -1 while nobody has it."""
    line = groups._lines.get(key)
    return len(line._queue) if line is not None and line._busy else -1
