"""Why no cart reaches Mautic: what a person would look for first, in the order in which it matters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from integration.models.cart import Cart, CartState
from integration.models.connector import Connector
from integration.pipeline.connectors.shop_origins import mixes_content
from integration.settings import CartModule
from integration.words import counted

#: A shop in which nothing was seen for so long has no script, or no shoppers.
SILENCE = timedelta(days=2)
#: Carts of so many days are looked at.
LOOKED_AT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence, what to do, and the colour of the notice."""

    sentence: str
    hint: str
    kind: str = "warn"


def reasons(session: Session, now: datetime, connector: Connector, module: CartModule, base_url: str) -> list[Reason]:
    """Return what keeps carts from Mautic now, the most likely first; [] when nothing does."""
    plain = _plain_http(connector, base_url)
    if not module.enabled:
        off = Reason("Abandoned Cart is switched off, so no cart is captured.", "Switch it on below.", "info")
        return [off, plain] if plain else [off]
    found = [reason for reason in (_no_capture(module), _first_import(connector), plain)]
    return [reason for reason in found if reason] + _of_carts(session, now, connector.id)


def _no_capture(module: CartModule) -> Reason | None:
    if module.box or module.silent:
        return None
    return Reason("Neither a box asks for consent nor is capture without asking on, so nothing is captured.", _CHOOSE)


def _first_import(connector: Connector) -> Reason | None:
    if connector.initial_done_at is not None:
        return None
    sentence = "The first import is not done, so it is not known who has ordered already, and no cart is sent."
    return Reason(sentence, "Run the initial import under Order Sync.")


def _plain_http(connector: Connector, base_url: str) -> Reason | None:
    if not mixes_content(connector, base_url):
        return None
    sentence = f"The shop is served by https and this site by http ({base_url}): browsers load no script across that."
    return Reason(sentence, _SERVE_HTTPS, "bad")


def _of_carts(session: Session, now: datetime, connector_id: int) -> list[Reason]:
    mine = (Cart.connector_id == connector_id, Cart.created_at >= now - LOOKED_AT)
    last = session.scalar(select(func.max(Cart.seen_at)).where(*mine))
    if last is None or last < now - SILENCE:
        return [Reason("No cart has been seen lately.", _NONE_SEEN)]
    nameless = _count(session, *mine, Cart.state == CartState.ACTIVE, Cart.email == "")
    refused = _count(session, *mine, Cart.state == CartState.NO_CONSENT)
    failing = _count(session, *mine, Cart.state == CartState.ABANDONED, Cart.problem != "")
    found = []
    if failing:
        found.append(Reason(f"{counted(failing, 'cart')} could not be sent yet.", "The list says why for each."))
    if nameless:
        sentence = f"{counted(nameless, 'cart')} of the last 30 days had no e-mail address, so nobody can be reminded."
        found.append(Reason(sentence, "Shoppers who leave before they type one stay unknown.", "info"))
    if refused:
        sentence = f"{counted(refused, 'cart')} of the last 30 days came without consent and were not kept."
        found.append(Reason(sentence, "This is how it should be.", "info"))
    return found


def _count(session: Session, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Cart).where(*where)) or 0


_CHOOSE = "Choose one of the two below."
_SERVE_HTTPS = (
    "Serve this site by https and set PUBLIC_URL. Until then carts are known by drafts and unpaid orders alone, and "
    "links bring them back without the script."
)
_NONE_SEEN = (
    "Look whether the shop's checkout has the line below in its source, and whether a security plugin or a consent "
    "banner blocks it; then fill a cart yourself."
)
