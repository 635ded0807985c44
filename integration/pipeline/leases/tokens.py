"""Lease tokens that tell which process holds them, so that a killed one's work is taken back at once."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]

#: Tokens of what this process is doing just now.
_AT_WORK: set[str] = set()


@contextmanager
def at_work(token: str) -> Iterator[None]:
    """Note that this process is doing what the token stands for, until the end of the block."""
    _AT_WORK.add(token)
    try:
        yield
    finally:
        _AT_WORK.discard(token)


def is_at_work(token: str) -> bool:
    """Return whether this process is doing it, also when a database that was away has let its lease run out."""
    return token in _AT_WORK


def new_token() -> str:
    """Return a token of at most 32 characters: host, process id and its start, and chance."""
    return f"{this_process()}{secrets.token_hex(5)}"[:32]


def is_own(token: str) -> bool:
    """Return whether this process made the token."""
    return token.startswith(this_process())


def this_process() -> str:
    """Return what the tokens of this process begin with."""
    return _prefix(os.getpid())


def alive(token: str) -> bool:
    """Return whether the process that made the token may still run; True when that cannot be told from here."""
    host, _, rest = token.partition(".")
    parts = rest.split(".")
    if host != _HOST or len(parts) < 2 or not parts[0].isdigit():
        return True
    try:
        os.kill(int(parts[0]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return parts[1] == _started(int(parts[0]))


#: Tells of a token and up to when its lease is whether it is lost now.
IsLost = Callable[[str, datetime | None, datetime], bool]


def is_lost(token: str, until: datetime | None, now: datetime) -> bool:
    """Return whether a lease ran out or its process is gone, by the clock alone: see LeaseWatch for one that jumps."""
    return until is None or until < now or not alive(token)


@functools.cache
def _prefix(pid: int) -> str:
    return f"{_HOST}.{pid}.{_started(pid)}."


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot where the system tells it: ids are used again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return "0"
    return f"{int(fields[19]) % 10**9}" if len(fields) > 19 else "0"
