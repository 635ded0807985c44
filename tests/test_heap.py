"""The heap of a process: one for its threads, nothing large kept that is free, and what stays is passed by."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys

import pytest

from integration import heap

#: Eight threads allocate at once, each of them in a heap of its own if there may be so many; then all is freed.
_THREADS = """
import ctypes, sys, threading
from integration import heap
print(heap.keep_small() if sys.argv[1] == "kept" else "", flush=True)
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
together = threading.Barrier(8)
def allocate():
    together.wait()
    held = [library.malloc(2000) for _ in range(50)]
    together.wait()
    for each in held:
        library.free(each)
threads = [threading.Thread(target=allocate) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
library.fflush(None)
library.malloc_stats()
"""


def _heaps(how: str) -> tuple[str, int]:
    """Return what a process said of keeping small and how many heaps it had."""
    done = subprocess.run([sys.executable, "-c", _THREADS, how], capture_output=True, text=True, check=True)
    return done.stdout.strip(), len(re.findall(r"^Arena \d+:", done.stderr, re.MULTILINE))


def test_threads_share_a_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(heap.ARENAS_VARIABLE, raising=False)
    assert _heaps("")[1] > heap.ARENAS
    assert _heaps("kept") == ("True", heap.ARENAS)


def test_who_chose_the_number_of_heaps_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(heap.ARENAS_VARIABLE, "3")
    assert _heaps("kept") == ("False", 3)


def test_it_is_given_back_now_and_then_only() -> None:
    seconds = iter((0.0, 9.9, 10.0, 10.0, 19.9, 20.0, 20.0))
    giving = heap.Giving(10.0, lambda: next(seconds))
    assert [giving.now_and_then() for _ in range(4)] == [False, True, False, True]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(heap.ARENAS_VARIABLE, raising=False)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not heap.keep_small()


def test_what_is_free_goes_back_to_the_system() -> None:
    assert subprocess.run([sys.executable, "-c", _FREED], check=False).returncode == 0


#: Small pieces are freed between pieces that are kept, which nothing but a trim gives back.
_FREED = """
import ctypes, sys
from integration import heap
from tests.bench import resident
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
pieces = [library.malloc(60_000) for _ in range(1000)]
for piece in pieces:
    ctypes.memset(piece, 1, 60_000)
for piece in pieces[:-1]:
    library.free(piece)
before = resident.megabytes()
sys.exit(not (heap.give_back() and before - resident.megabytes() > 40))
"""


def test_what_is_made_is_passed_by_and_what_comes_after_it_is_not() -> None:
    script = """
import gc, weakref
from integration import heap
class Held: pass
def circle():
    one = Held()
    one.self = one
    return weakref.ref(one)
kept = [circle() for _ in range(10)]
heap.pass_by_what_is_made()
before = gc.get_freeze_count()
after = circle()
gc.collect()
print(before > 1000, gc.get_freeze_count() == before, any(each() for each in kept), after())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "False", "None"]
