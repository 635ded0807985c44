"""Webhooks on their way: queued when something happens, built and posted a little later by one thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, NamedTuple

from integration.sandbox.store import webhook_delivery, webhook_payload
from integration.sandbox.store.state import State

COALESCED_FOR = 600
GIVEN_UP_AT = 5


class Pending(NamedTuple):
    """A delivery that waits: which webhook, about which item, since when (monotonic seconds)."""

    webhook_id: int
    number: int
    since: float


class Sent(NamedTuple):
    """A delivery that was made: `status` is 0 when nobody answered, -1 when it was dropped on command."""

    webhook_id: int
    topic: str
    number: int
    status: int
    body: bytes


class WebhookQueue:
    """The queue and its switches.

    `latency` is the seconds between an event and its delivery (a real shop's cron: 47 to 60); hold() keeps deliveries
    back until release(); `drop` loses so many of the next ones; `repeat` sends each so many times more; `silent` makes
    the shop send nothing at all. A failed delivery is never sent again, and after seven failures in a row the webhook
    is disabled (woo:364 to woo:367).
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._condition = threading.Condition()
        self._queue: deque[Pending] = deque()
        self._busy = False
        self._held = False
        self._running = False
        self._thread: threading.Thread | None = None
        self.latency = 0.05
        self.timeout = 60.0
        self.drop = 0
        self.repeat = 0
        self.silent = False
        self.sent: deque[Sent] = deque(maxlen=10_000)

    def start(self) -> None:
        """Begin to deliver."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name="store-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop delivering; what waits is lost."""
        with self._condition:
            self._running = False
            self._queue.clear()
            self._condition.notify_all()
        if self._thread:
            self._thread.join()
            self._thread = None

    def hold(self) -> None:
        """Keep deliveries back, as a shop without cron does."""
        with self._condition:
            self._held = True

    def release(self) -> None:
        """Let deliveries go again."""
        with self._condition:
            self._held = False
            self._condition.notify_all()

    def enqueue(self, topic: str, number: int) -> None:
        """Queue the event for each active webhook of the topic, unless the same one waits already (woo:343)."""
        if self.silent or not self._state.webhooks:
            return
        hooks = [hook for hook in self._state.webhooks.values() if hook["status"] == "active"]
        with self._condition:
            for hook in hooks:
                if hook["topic"] == topic and not self._waits(hook["id"], number):
                    self._queue.append(Pending(hook["id"], number, time.monotonic()))
            self._condition.notify_all()

    def _waits(self, webhook_id: int, number: int) -> bool:
        oldest = time.monotonic() - COALESCED_FOR
        return any(each[:2] == (webhook_id, number) and each.since > oldest for each in self._queue)

    @property
    def waiting(self) -> int:
        """Return how many deliveries wait."""
        return len(self._queue)

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until everything queued has been delivered; False when it took too long."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._queue and not self._busy, timeout)

    def _run(self) -> None:
        while pending := self._next():
            try:
                self._deliver(pending)
            finally:
                with self._condition:
                    self._busy = False
                    self._condition.notify_all()

    def _next(self) -> Pending | None:
        with self._condition:
            while self._running:
                wait = self._due_in()
                if wait is not None and wait <= 0:
                    self._busy = True
                    return self._queue.popleft()
                self._condition.wait(wait)
        return None

    def _due_in(self) -> float | None:
        if self._held or not self._queue:
            return None
        return self._queue[0].since + self.latency - time.monotonic()

    def _deliver(self, pending: Pending) -> None:
        state = self._state
        with state.lock:
            hook = state.webhooks.get(pending.webhook_id)
            if hook is None or hook["status"] != "active":
                return
            message = webhook_payload.message(state, hook, pending.number)
        for _ in range(1 + self.repeat):
            self._post(hook, pending.number, message)

    def _post(self, hook: dict[str, Any], number: int, message: webhook_delivery.Message) -> None:
        if self.drop > 0:
            self.drop -= 1
            status = -1
        else:
            status = webhook_delivery.post(hook["delivery_url"], message, self.timeout)
            self._count(hook, status)
        self.sent.append(Sent(hook["id"], hook["topic"], number, status, message.body))

    def _count(self, hook: dict[str, Any], status: int) -> None:
        # 3xx up to 302 counts as delivered though nothing is followed (woo:365).
        with self._state.lock:
            if 200 <= status <= 302:
                hook["failures"] = 0
            elif hook["failures"] > GIVEN_UP_AT:
                hook["status"] = "disabled"
                hook["modified"] = self._state.now()
            else:
                hook["failures"] += 1
            self._state.changed()
