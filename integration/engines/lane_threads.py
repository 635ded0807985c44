"""The threads that deliver, shared by all connectors of a process: who waits for one comes next after each batch."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from integration import heap
from integration.pipeline.delivery.deliver import Deliverer
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

#: A lane ends after so many batches, so that new settings count.
TURN_BATCHES = 10
#: After an error that the lease has to mend a lane waits so long.
BROKEN_PAUSE_S = 1.0


class LaneThreads:
    """WORKER_LANES threads; a lane is one connector's use of one of them, batch after batch.

    `may_begin` tells of a connector whether another batch of it may be begun. `on_free` is called by the thread of a
    lane that has ended.
    """

    def __init__(self, services: Services, stop: threading.Event, may_begin: Callable[[int], bool]) -> None:
        self._services, self._stop, self._may_begin = services, stop, may_begin
        self._pool = ThreadPoolExecutor(services.deployment.worker_lanes, thread_name_prefix="lane")
        self._lock = threading.Lock()
        self._going: Counter[int] = Counter()
        self._queued = 0
        self._passed_by: set[int] = set()
        self._heap = heap.Giving()
        self.on_free: Callable[[], None] = lambda: None

    def going(self, connector_id: int) -> int:
        """Return how many lanes of a connector are at work or wait for a thread."""
        return self._going[connector_id]

    def is_full(self, connector_id: int, most: int) -> bool:
        """Return whether so many lanes of a connector are at work; the first that ends rings, for who was passed by."""
        with self._lock:
            if self._going[connector_id] < most:
                return False
            self._passed_by.add(connector_id)
            return True

    def total(self) -> int:
        """Return how many lanes of all connectors there are."""
        with self._lock:
            return self._going.total()

    def start(self, connector_id: int, lanes: Lanes, number: int) -> None:
        """Start lanes for so many batches, but never more than the connector may have."""
        with self._lock:
            going = self._going[connector_id]
            started = max(min(number, lanes.most - going), 0)
            self._going[connector_id] += started
        for place in range(going, going + started):
            # What is due may be what a lane that goes already is about to claim; of the first one it is not.
            self._line_up(connector_id, lanes, TURN_BATCHES, due=not place)

    def close(self) -> None:
        """Wait for what is going; `stop` is set by then, so nothing more is begun."""
        self._pool.shutdown(wait=True)

    def _line_up(self, connector_id: int, lanes: Lanes, batches: int, *, due: bool = False) -> None:
        with self._lock:
            self._queued += 1
        try:
            self._pool.submit(self._lane, connector_id, lanes, batches, due)
        except RuntimeError:
            # The pool is closed: this process ends, and what is left waits in the table.
            with self._lock:
                self._queued -= 1
            self._end(connector_id, rings=False)

    def _lane(self, connector_id: int, lanes: Lanes, batches: int, due: bool = False) -> None:
        """Deliver up to so many batches; where others wait for the thread, one and the rest after them.

        `due` says that the first of them is known to be.
        """
        with self._lock:
            self._queued -= 1
        left, goes_on, idle = batches, False, False
        try:
            deliverer = Deliverer(self._services, connector_id, lanes, stop=self._stop)
            while left and self._may_begin(connector_id):
                if idle := not deliverer.work(due=due and left == batches):
                    break
                left -= 1
                self._heap.now_and_then()
                if deliverer.took_all:
                    # Who has come since then has rung, and is found by the look that follows the end of a lane.
                    break
                if goes_on := left > 0 and self._queued > 0:
                    break
        except Exception as error:
            # The lease brings the deliveries back; here it must be seen.
            self.tell(error, f"A lane of connector {connector_id} broke off.")
            self._stop.wait(BROKEN_PAUSE_S)
            idle = True
        if goes_on:
            self._line_up(connector_id, lanes, left)
        else:
            self._end(connector_id, rings=left < TURN_BATCHES or not idle)

    def _end(self, connector_id: int, *, rings: bool) -> None:
        """End a lane and ring, for there may be more, or nothing any more.

        One that found nothing to do does not ring: who looks again at once might start it at once, again and again.
        It does where somebody was passed by while all lanes were at work.
        """
        with self._lock:
            self._going[connector_id] -= 1
            rings = rings or connector_id in self._passed_by
            self._passed_by.discard(connector_id)
        self.on_free()
        if rings:
            self._services.wakeup.ring(connector_id)

    def tell(self, error: Exception, sentence: str) -> None:
        """Log an error with its traceback, but a full disk only as such."""
        if not self._services.disk.met(error):
            log.error("%s", sentence, exc_info=error)
