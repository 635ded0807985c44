"""The heap: kept small and given back to the system, where the C library is glibc, and what stays in it passed by.

glibc makes up to eight heaps a core for threads, and keeps in each what was freed between things still in use: an
import of 5,000 orders held 36 MB of such free memory in 67 MB. Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import gc
import os
import threading
import time
from collections.abc import Callable

#: Names of glibc's malloc.h. Whoever sets ARENAS_VARIABLE has chosen for themselves.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
ARENAS_VARIABLE = "MALLOC_ARENA_MAX"
#: All threads of a process share one heap: one of them at a time runs Python, which mostly allocates by itself. With
#: two an import was 7 MB larger and no quicker.
ARENAS = 1
#: What is larger than this, in bytes, is the system's again when it is freed. glibc would raise both limits with the
#: first large answer that is freed, to 32 MB and 64 MB.
LARGE = 128 * 1024


def keep_small() -> bool:
    """Let this process have one heap and keep little that is freed; call it before there are threads.

    Returns whether it does: False with another C library, or where the environment says how many heaps there are.
    """
    library = _glibc()
    if library is None or ARENAS_VARIABLE in os.environ:
        return False
    wanted = {_ARENA_MAX: ARENAS, _MMAP_THRESHOLD: LARGE, _TRIM_THRESHOLD: LARGE}
    return all([library.mallopt(name, value) == 1 for name, value in wanted.items()])


def _glibc() -> ctypes.CDLL | None:
    """Return the C library of this process if it is glibc: others have functions of these names that do nothing."""
    library = ctypes.CDLL(None) if os.name == "posix" else None
    return library if library is not None and hasattr(library, "gnu_get_libc_version") else None


def give_back() -> bool:
    """Give the system what lies free between things in use; returns whether there was anything. Takes milliseconds."""
    library = _glibc()
    return library is not None and library.malloc_trim(0) == 1


def pass_by_what_is_made() -> None:
    """Let Python's garbage collector pass by all that there is now; for a program that is ready, and goes on for long.

    Walking it again and again cost single pages up to 90 ms, and an import a twenty-fifth of its processor time.
    """
    gc.collect()
    gc.freeze()


class Giving:
    """Gives back while there is work, and not too often: `every_s` seconds lie between, by `steady_s`."""

    def __init__(self, every_s: float = 3.0, steady_s: Callable[[], float] = time.monotonic) -> None:
        self._every_s, self._steady_s = every_s, steady_s
        self._lock = threading.Lock()
        self._next_s = steady_s() + every_s

    def now_and_then(self) -> bool:
        """Give back where it is time; return whether it was. Safe for several threads."""
        with self._lock:
            if self._steady_s() < self._next_s:
                return False
            self._next_s = self._steady_s() + self._every_s
        give_back()
        return True
