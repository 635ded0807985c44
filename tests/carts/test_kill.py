"""What a shop was answered is stored, whatever happens to the process afterwards."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sqlalchemy import select

from integration.models import Cart
from tests.bench import captures
from tests.bench.served import Served, served


def test_a_capture_that_is_answered_outlives_a_kill(tmp_path: Path) -> None:
    answered: list[int] = []
    with served(str(tmp_path), captures.SETTINGS, store_url=captures.SHOP) as server:
        killer = threading.Thread(target=_kill_after, args=(server, answered, 60))
        killer.start()
        captures.fire(server, count=600, per_second=150, answered=answered)
        killer.join()
        with server.services.db.read() as session:
            kept = set(session.scalars(select(Cart.key)))
    assert 60 <= len(answered) < 600
    assert {captures.key(number) for number in answered} <= kept


def _kill_after(server: Served, answered: list[int], count: int) -> None:
    ends = time.monotonic() + 60
    while len(answered) < count and time.monotonic() < ends:
        time.sleep(0.005)
    server.kill()
