"""A stand-in's state on disk, so that a demo goes on where it was left."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Protocol


class Saveable(Protocol):
    """What a stand-in keeps: `changes` grows with every write, `lock` guards it all."""

    lock: Any
    changes: int

    def dump(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the state by what dump() gave."""


class Snapshot:
    """Writes a state to a file at most once a second while it changes, and at the end."""

    def __init__(self, state: Saveable, path: Path) -> None:
        self._state = state
        self._path = path
        self._saved = -1
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load the file, if there is one, and begin to write."""
        if self._path.exists():
            with self._state.lock:
                self._state.load(json.loads(self._path.read_text("utf-8")))
                self._saved = self._state.changes
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="sandbox-snapshot", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.write()

    def _run(self) -> None:
        pause = 1.0
        while not self._stopping.wait(pause):
            began = time.monotonic()
            self.write()
            # A large state takes long to write and holds its lock meanwhile: at most a tenth of the time goes into it.
            pause = max(1.0, 10 * (time.monotonic() - began))

    def write(self) -> None:
        """Write the file if the state changed since the last time."""
        if self._state.changes == self._saved:
            return
        with self._state.lock:
            self._saved = self._state.changes
            text = json.dumps(self._state.dump(), ensure_ascii=False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".part")
        draft.write_text(text, "utf-8")
        os.replace(draft, self._path)
