"""Who may see an order's own pages: by its key, by login, and by its e-mail once it is ten minutes old."""

from __future__ import annotations

import hmac

from integration.sandbox.store import documents
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import sessions
from integration.sandbox.store.storefront.scenes import Scene

GRACE = 600
VERIFY = "wc_verify_email"


def order_of(state: State, number: int, key: str) -> Row | None:
    """Return the order of a number if the key is its own."""
    row = state.orders.get(number)
    if row is None:
        return None
    own = str(documents.of_order(state, row)["order_key"])
    return row if hmac.compare_digest(own.encode(), key.encode()) else None


def must_log_in(scene: Scene, row: Row) -> bool:
    """Say whether an order of an account is asked for by somebody who is not logged in (storefront:139)."""
    return bool(row.customer_id) and scene.account is None


def must_verify(scene: Scene, row: Row) -> bool:
    """Say whether a guest must first type the order's e-mail (storefront:130, storefront:131, storefront:138).

    Not in the first ten minutes, nor when the session knows the e-mail or the form has it; case does not count.
    """
    if not row.email or (row.customer_id and scene.account is not None and scene.account.id == row.customer_id):
        return False
    if scene.state.now() - row.created <= GRACE:
        return False
    typed = scene.form.get("email", "").strip() if _is_asked(scene) else ""
    return row.email.lower() not in (typed.lower(), scene.visit.session.email.lower())


def _is_asked(scene: Scene) -> bool:
    return sessions.is_nonce(scene.state, scene.form.get("_wpnonce", ""), VERIFY)
