"""What a connector holds, to be taken away before it goes: settings, log, records, carts, subscriptions, consents."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select

from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.models.consent import ConsentEntry
from integration.models.database import Database
from integration.models.delivery import Delivery
from integration.models.subscription import Subscription
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.queries.sync_log_filters import LogQuery
from integration.web.tools import export

ROWS_AT_ONCE = 500
_RECORD = (
    "id",
    "kind",
    "source_id",
    "number",
    "event",
    "state",
    "result",
    "contact_id",
    "error_code",
    "error",
    "created_at",
    "settled_at",
    "payload",
)
_CART = ("id", "state", "email", "items", "currency", "total", "consent", "created_at", "changed_at", "coupon_code")
_SUBSCRIPTION = (
    "id",
    "state",
    "email",
    "first_name",
    "last_name",
    "consent_text",
    "source",
    "page",
    "ip",
    "created_at",
    "confirmed_at",
    "confirmed_ip",
)
_CONSENT = (
    "id",
    "state",
    "email",
    "source",
    "ref",
    "key",
    "value",
    "wording",
    "version",
    "said_at",
    "created_at",
    "write_back",
)


class _Sink:
    """Takes what a ZIP writes and hands it on in pieces; it cannot be gone back in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        """Keep a piece until it is taken."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Do nothing: all is kept."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zipped(services: Services, connector: Connector) -> Iterator[bytes]:
    """Yield the bytes of the ZIP, some hundred rows at a time, without secrets."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name, texts in _files(services, connector):
            with archive.open(name, "w", force_zip64=True) as file:
                for text in texts:
                    file.write(text.encode("utf-8", "replace"))
                    yield sink.taken()
    yield sink.taken()


def _files(services: Services, connector: Connector) -> Iterator[tuple[str, Iterable[str]]]:
    settings = json.dumps(connectors.exported(services, connector), ensure_ascii=False, indent=2)
    query, _ = LogQuery.parse(connector.id, {}, "UTC")
    yield "settings.json", [settings + "\n"]
    yield "sync-log.csv", export.stream(services.db, query, "csv")
    yield "records.jsonl", _lines(services.db, Delivery, connector.id, _RECORD)
    yield "carts.jsonl", _lines(services.db, Cart, connector.id, _CART)
    yield "subscriptions.jsonl", _lines(services.db, Subscription, connector.id, _SUBSCRIPTION)
    yield "consents.jsonl", _lines(services.db, ConsentEntry, connector.id, _CONSENT)


def _lines(db: Database, model: Any, connector_id: int, columns: Iterable[str]) -> Iterator[str]:
    last, chosen = 0, [getattr(model, name) for name in columns]
    while True:
        query = select(*chosen).where(model.connector_id == connector_id, model.id > last).order_by(model.id)
        with db.read() as session:
            rows = session.execute(query.limit(ROWS_AT_ONCE)).mappings().all()
        yield "".join(json.dumps(dict(row), ensure_ascii=False, default=str) + "\n" for row in rows)
        if len(rows) < ROWS_AT_ONCE:
            return
        last = rows[-1]["id"]
