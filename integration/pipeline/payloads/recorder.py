"""Keeps what a batch sent to Mautic, for runs that asked for payload files (C7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integration import json_text
from integration.http.transport import Exchange, Observer
from integration.masking import mask_text
from integration.models.run import Run
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.services import Services
from integration.words import counted


@dataclass
class PayloadRecorder:
    """Records the exchanges of one batch; does nothing unless a run wants it."""

    runs: Sequence[Run]
    _writes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def observer(self) -> Observer | None:
        """Return what sees each exchange, None when no run wants it."""
        return self._hear if self.runs else None

    def _hear(self, exchange: Exchange) -> None:
        if exchange.method != "GET" and "/oauth/" not in exchange.url:
            self._writes.append(
                {
                    "request": f"{exchange.method} {mask_text(exchange.url)}",
                    "sent": _parsed(exchange.request_body),
                    "status": exchange.status,
                    "answer": _parsed(exchange.answer_body),
                    "seconds": round(exchange.seconds, 3),
                }
            )

    def keep(self, services: Services) -> None:
        """Write one file for each run that wants it."""
        if not self._writes:
            return
        title = f"{counted(len(self._writes), 'call')} of a batch to Mautic"
        for run in self.runs:
            payload_files.store(services, run, "push", title, self._writes)


def _parsed(body: str) -> Any:
    try:
        return json_text.loads(body)
    except ValueError:
        return body
