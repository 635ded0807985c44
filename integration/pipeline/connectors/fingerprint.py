"""Whether the store is still the one that the connector was paired with, or a copy of it (X16).

A copy of a shop for tests bears the customers of the real one. What is sent from it reaches real people, and coupons or
webhooks that are written to it go to the wrong shop. So when the store's own address changes, when its order numbers
begin again far below what was seen, or when the connector's rows came to another installation, the connector is
read-only until a person says which it is. Clients of a read-only connector refuse every call that writes.

`Connector.fingerprint` holds {"home": the store's address as it tells it, "key": start of its key's hash, "highest":
highest order number seen, "highest_at": when that was looked up, "numbers_from": ledger entries before this moment do
not count, "installation": PUBLIC_URL, "restored": see restored.py, "doubt": {"sentence", "at", "home", "highest",
"installation", "was", "copy"}}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from integration.errors import NotNow, NotSetUp
from integration.models.connector import Connector, ConnectorState
from integration.models.contact_link import ContactLink
from integration.models.ledger import LedgerEntry
from integration.models.run import SYNCS, Run
from integration.pipeline.audited import Audit, Diff, unaudited
from integration.records import Order

CODE = "store_changed"
HINT = "An administrator says on the Connection tab whether it is the same store or a copy."
COPY = (
    "This connector belongs to a copy of the store, so nothing is sent to Mautic and nothing is written to the store."
)
#: A new order's number is far below the highest one seen when it is lower by a tenth, and by so many at least.
_NUMBERS_BELOW_MIN = 100


class ReadOnly(NotNow):
    """The connector's store may be a copy, so nothing is sent until a person has said what it is."""

    def __init__(self, connector: Connector) -> None:
        super().__init__(CODE, f"The connector is read-only. {sentence(connector)}", HINT)


def place(url: str) -> str:
    """Return host, port and path of an address: http and https, and www. or none, are the same shop."""
    parts = urlsplit(url.strip() if "//" in url else f"//{url.strip()}")
    host = (parts.netloc.rpartition("@")[2] or "").lower().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}"


def is_elsewhere(connector: Connector, source: str) -> bool:
    """Tell whether a webhook's source is another shop than the connector's, as that of a copy with its webhooks is."""
    home = connector.fingerprint.get("home")
    return bool(home and source and place(source) != place(home)) and not connector.is_demo


def doubt(connector: Connector) -> dict[str, Any]:
    """Return why the connector is read-only, {} when it is not."""
    if connector.state != ConnectorState.READ_ONLY:
        return {}
    return dict(connector.fingerprint.get("doubt") or {})


def sentence(connector: Connector) -> str:
    """Return in words why the connector is read-only, "" when it is not."""
    found = doubt(connector)
    return COPY if found.get("copy") else str(found.get("sentence", ""))


def refusal(connector: Connector, service: str) -> NotSetUp | None:
    """Return what a client raises instead of a call that writes, None where writing is allowed."""
    if connector.state != ConnectorState.READ_ONLY:
        return None
    return NotSetUp(service, CODE, f"The connector is read-only. {sentence(connector)}", HINT)


def check(connector: Connector) -> None:
    """Raise ReadOnly where the connector is read-only."""
    if connector.state == ConnectorState.READ_ONLY:
        raise ReadOnly(connector)


def check_run(connector: Connector, run: Run) -> None:
    """Raise ReadOnly where the connector is read-only and the run is one that sends what it reads.

    A dry run and a reconciliation only read, and a replay moves dead letters: what it sends again waits for the answer.
    """
    if run.kind in SYNCS and not run.is_dry:
        check(connector)


def look(session: Session, now: datetime, connector: Connector, home: str, key: str, installation: str) -> None:
    """Compare what the store has told of itself with what is kept, in the caller's transaction.

    `home` and `installation` are "" where they are not known. What differs makes the connector read-only, unless it has
    never sent anybody: then it only gets to know its store.
    """
    if connector.is_demo:
        return
    kept = connector.fingerprint
    same_home = not home or not kept.get("home") or place(kept["home"]) == place(home)
    if not same_home and _has_sent(session, connector):
        return suspect(connector, now, _moved(kept, home, key), home=home)
    if connector.state == ConnectorState.READ_ONLY:
        # Somebody may have typed the former address again: that is what would be confirmed now.
        told = {"home": home} if home else {}
        connector.fingerprint = {**kept, "doubt": {**kept.get("doubt", {}), **told}}
        return
    seen = {"home": home or kept.get("home", ""), "key": _digest(key)}
    highest = _highest(session, connector) or kept.get("highest", 0)
    connector.fingerprint = {
        **kept,
        **seen,
        "highest": highest,
        "highest_at": now.isoformat(),
        "installation": kept.get("installation") or installation,
    }


def look_at_installation(session: Session, now: datetime, connector: Connector, installation: str) -> None:
    """Make a connector read-only that was worked for at another public address: its rows may be a copy."""
    kept = connector.fingerprint.get("installation", "")
    if not (kept and installation) or place(kept) == place(installation) or connector.is_demo:
        return
    said = f"It was worked for at {kept}, and now at {installation}: this may be a copy of the installation."
    suspect(connector, now, said, installation=installation)


def look_at_orders(session: Session, now: datetime, connector_id: int, orders: Iterable[Order]) -> None:
    """Make the connector read-only when a new order's number is far below what had been reached before it was placed.

    Orders that the ledger knows, and those placed before, count nothing: shops bring in old orders, and change them.
    Nor do those of other programs, whose numbers are negative (record_ids.py).
    """
    connector = session.get(Connector, connector_id)
    kept = connector.fingerprint if connector is not None else {}
    highest, at = int(kept.get("highest") or 0), kept.get("highest_at")
    if connector is None or not highest or not at:
        return
    line = _far_below(highest)
    since = datetime.fromisoformat(at)
    low = [order.id for order in orders if 0 < order.id < line and order.created_at and order.created_at > since]
    new = [number for number in low if session.get(LedgerEntry, (connector_id, number)) is None]
    if new:
        said = f"A new order has the number {max(new)}, although {highest} had been reached before it was placed."
        suspect(connector, now, said, highest=max(new))


def look_at_list(session: Session, now: datetime, connector: Connector, last: int) -> None:
    """Make the connector read-only when the list of all orders ends far below the highest number seen, at `last`."""
    highest = int(connector.fingerprint.get("highest") or 0)
    if last and last < _far_below(highest):
        said = f"The highest number of the store's orders is {last}, although {highest} had been reached before."
        suspect(connector, now, said, highest=last)


def _far_below(highest: int) -> int:
    return highest - max(_NUMBERS_BELOW_MIN, highest // 10)


def confirm_same(session: Session, now: datetime, connector_id: int, audit: Audit[Diff] = unaudited) -> bool:
    """Take what was found as the fingerprint from now on and go on as before; return whether it was read-only."""
    connector = session.get_one(Connector, connector_id)
    found = doubt(connector)
    if not found:
        return False
    kept = {name: value for name, value in connector.fingerprint.items() if name != "doubt"}
    if found.get("highest"):
        kept |= {"numbers_from": now.isoformat(), "highest_at": now.isoformat()}
    kept |= {name: found[name] for name in ("home", "highest", "installation") if found.get(name)}
    audit(session, _changes(connector.fingerprint, kept) | {"state": [connector.state, found["was"]]})
    connector.fingerprint, connector.state = kept, found["was"]
    return True


def confirm_copy(session: Session, now: datetime, connector_id: int, audit: Audit[Diff] = unaudited) -> bool:
    """Keep the connector read-only without further alarm; return whether it was waiting for that answer."""
    connector = session.get_one(Connector, connector_id)
    found = doubt(connector)
    if not found or found.get("copy"):
        return False
    connector.fingerprint = {**connector.fingerprint, "doubt": {**found, "copy": now.isoformat()}}
    audit(session, {"copy": [False, True]})
    return True


def suspect(connector: Connector, now: datetime, said: str, **found: Any) -> None:
    """Make the connector read-only; a later reason is added to the first."""
    before = doubt(connector)
    if said in before.get("sentence", ""):
        return
    told = {"sentence": f"{before.get('sentence', '')} {said}".strip(), "at": before.get("at", now.isoformat())}
    was = before.get("was", connector.state)
    # What an administrator has said of a copy says nothing of another change.
    kept = {name: value for name, value in before.items() if name != "copy"}
    connector.fingerprint = {**connector.fingerprint, "doubt": {**kept, **found, **told, "was": was}}
    connector.state = ConnectorState.READ_ONLY


def _moved(kept: dict[str, Any], home: str, key: str) -> str:
    also = " Its key is another one, too." if kept.get("key") not in (None, "", _digest(key)) else ""
    return f"The store says that its address is {home}, and before it was {kept['home']}.{also}"


def _has_sent(session: Session, connector: Connector) -> bool:
    return bool(session.scalar(select(exists().where(ContactLink.connector_id == connector.id))))


def _highest(session: Session, connector: Connector) -> int:
    query = select(func.max(LedgerEntry.order_id)).where(LedgerEntry.connector_id == connector.id)
    if begun := connector.fingerprint.get("numbers_from"):
        query = query.where(LedgerEntry.ordered_at > datetime.fromisoformat(begun))
    return int(session.scalar(query) or 0)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12] if key else ""


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Diff:
    names = ("home", "highest", "installation")
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}
