"""Debug mode (P5): full requests and answers, masked, in rotating files of one connector."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from integration.clock import Clock
from integration.http.transport import Exchange, Observer
from integration.masking import hide, mask_body, mask_headers, mask_text, secrets_of
from integration.models.connector import Connector
from integration.operations.support.line_files import FILE_SIZE, FILES, LineFile, LinePage, LogLineQuery

#: Characters of a body that are kept.
BODY = 64 * 1024
#: A larger body is cut before it is masked, a margin is dropped after: no half of a secret stays at the end.
_WHOLE = 1024 * 1024
_MARGIN = 4096


class Capture:
    """Writes and reads the debug files of all connectors in one folder, `instance/logs`."""

    def __init__(self, folder: Path, clock: Clock | None = None, *, files: int = FILES, size: int = FILE_SIZE) -> None:
        self._folder = folder
        self._clock = clock or Clock()
        self._files = files
        self._size = size
        self._open: dict[int, LineFile] = {}

    def observer(self, connector: Connector) -> Observer | None:
        """Return what a transport calls after each exchange, None unless the connector's debug mode is on.

        It stops writing by itself when `debug_until` has passed.
        """
        until, file = connector.debug_until, self._file(connector.id)
        if until is None or until <= self._clock.now():
            return None

        def observe(exchange: Exchange) -> None:
            now = self._clock.now()
            # A full disk must not break the call that is watched.
            with suppress(OSError):
                if now < until:
                    file.append(masked_line(exchange, now))

        return observe

    def read(
        self,
        connector_id: int,
        since: datetime | None = None,
        until: datetime | None = None,
        text: str = "",
        limit: int = 50,
        page: int = 1,
    ) -> list[dict[str, Any]]:
        """Return one page of captured exchanges, newest first."""
        return self.read_page(
            connector_id, LogLineQuery(since=since, until=until, text=text, limit=limit, page=page)
        ).lines

    def read_page(self, connector_id: int, query: LogLineQuery) -> LinePage:
        """Return one page of captured exchanges, newest first, and whether older ones match."""
        return self._file(connector_id).read(query)

    def files(self, connector_id: int) -> list[Path]:
        """Return the connector's debug files, newest first."""
        return self._file(connector_id).parts()

    def remove(self, connector_id: int) -> None:
        """Delete the connector's debug files."""
        self._file(connector_id).remove()

    def drop(self, connector_id: int, unwanted: Callable[[str], bool]) -> int:
        """Delete the connector's exchanges that are unwanted, each told as its line, and return how many went."""
        return self._file(connector_id).drop(unwanted)

    def _file(self, connector_id: int) -> LineFile:
        path = self._folder / f"debug-{connector_id}.log"
        return self._open.setdefault(connector_id, LineFile(path, files=self._files, size=self._size))


def masked_line(exchange: Exchange, at: datetime) -> dict[str, Any]:
    """Return the exchange as one line: nothing secret, each body cut at 64 KB with the number of characters cut."""
    carried = secrets_of(exchange.request_headers, exchange.url, exchange.request_body)
    return {
        "at": at.isoformat(),
        "service": exchange.service,
        "method": exchange.method,
        "url": hide(mask_text(exchange.url), carried),
        "status": exchange.status,
        "seconds": round(exchange.seconds, 3),
        "error": hide(mask_text(exchange.error), carried),
        "request": _half(dict(exchange.request_headers), exchange.request_body, carried),
        "answer": _half(dict(exchange.answer_headers), exchange.answer_body, carried),
    }


def _half(headers: dict[str, str], body: str, carried: set[str]) -> dict[str, Any]:
    masked = {name: hide(value, carried) for name, value in mask_headers(headers).items()}
    kept, left_out = _masked_body(body, carried)
    return {"headers": masked, "body": kept, "cut": left_out, "note": _note(left_out)}


def _masked_body(body: str, carried: set[str]) -> tuple[str, int]:
    if len(body) <= _WHOLE:
        masked = hide(mask_body(body), carried)
        return masked[:BODY], max(len(masked) - BODY, 0)
    masked = hide(mask_text(body[: BODY + _MARGIN]), carried)
    kept = masked[: min(BODY, max(len(masked) - _MARGIN, 0))]
    return kept, len(body) - len(kept)


def _note(left_out: int) -> str:
    return f"{left_out:,} characters were cut." if left_out else ""
