"""One call of the Store API in hand, and the headers its answer carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import api_link
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import sessions
from integration.sandbox.store.storefront.carts import Cart
from integration.sandbox.store.storefront.sessions import Visit
from integration.sandbox.store.storefront.settings import Settings

VERBS = "OPTIONS, GET, POST, PUT, PATCH, DELETE"
EXPOSED = "X-WP-Total, X-WP-TotalPages, Link, Cart-Token"
TAKEN = "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type, Cart-Token, Nonce"
# PHP sends an answer in pieces of this many bytes; once the first is out no cookie can be set (storefront:013 to 020).
PIECE = 4096


@dataclass
class Call:
    """A request to the Store API with its visit and cart; `adds` once it has put something into the cart."""

    state: State
    settings: Settings
    request: ApiRequest
    visit: Visit
    adds: bool = False

    @property
    def cart(self) -> Cart:
        """Return the visitor's cart."""
        return Cart(self.state, self.visit.session)

    @property
    def body(self) -> dict[str, Any]:
        """Return what was sent; raises Refused for broken JSON."""
        return self.request.payload()


def cors(state: State, request: ApiRequest, by_token: bool = False) -> list[tuple[str, str]]:
    """Return who may read an answer in a browser: the shop itself, and any origin with a valid Cart-Token or preflight.

    A foreign origin without one gets the body and no leave to read it (storefront:074 to storefront:078).
    """
    origin = request.headers.get("origin", "")
    headers = [
        api_link(request),
        ("Access-Control-Expose-Headers", EXPOSED),
        ("Access-Control-Allow-Headers", TAKEN),
        ("Access-Control-Allow-Methods", VERBS),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    ]
    if by_token or request.method == "OPTIONS" or (origin and origin == request.home):
        headers.append(("Access-Control-Allow-Origin", origin))
    return headers


def reflected(request: ApiRequest) -> list[tuple[str, str]]:
    """Return how WordPress' own API lets the origin of a request read the answer (storefront:079)."""
    return [
        ("Access-Control-Allow-Origin", request.headers["origin"]),
        ("Access-Control-Allow-Methods", VERBS),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    ]


def tokens(call: Call) -> list[tuple[str, str]]:
    """Return the headers of every cart answer: a fresh nonce and Cart-Token, and the mark of the cart."""
    state = call.state
    return [
        ("Nonce", sessions.nonce(state)),
        ("Nonce-Timestamp", str(state.now())),
        ("User-ID", str(call.visit.session.customer_id)),
        ("Cart-Token", sessions.token(state, call.visit.session)),
        ("Cart-Hash", call.cart.hash),
    ]


def cookies(call: Call, answer: ApiAnswer) -> list[tuple[str, str]]:
    """Return the cookies an answer sets; a long one that added nothing comes too late for them."""
    if len(answer.raw()) > PIECE and not call.adds:
        return []
    cart_hash = call.cart.hash
    headers = sessions.cart_cookies(call.state, call.request, cart_hash)
    if cart_hash and not call.visit.by_token and not call.visit.has_cookie:
        headers.append(sessions.session_cookie(call.state, call.request, call.visit.session))
    return headers
