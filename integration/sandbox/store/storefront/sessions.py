"""Who a request is from: the session of its Cart-Token, its login or its cookie, and the cookies an answer sets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from werkzeug.http import http_date, parse_cookie

from integration.sandbox.store import documents
from integration.sandbox.store.addresses import fill
from integration.sandbox.store.http_messages import ApiRequest
from integration.sandbox.store.sessions_kept import Session
from integration.sandbox.store.state import State

LIFETIME = 48 * 3600
HALF_DAY = 12 * 3600
ITEMS_COOKIE, HASH_COOKIE = "woocommerce_items_in_cart", "woocommerce_cart_hash"
SECRET = b"stand-in store "


@dataclass
class Visit:
    """A request's session; `by_token` when its Cart-Token told it, `has_cookie` when its session cookie did."""

    session: Session
    by_token: bool = False
    has_cookie: bool = False


def visit(state: State, request: ApiRequest) -> Visit:
    """Return the session of a request, a new one if it has none; a new one is not kept until `keep` (storefront:001).

    A valid Cart-Token comes before a cookie (storefront:007); a forged or old one counts as none (storefront:004).
    """
    key = token_key(state, request.headers.get("cart-token", ""))
    if key:
        return Visit(_session(state, key), by_token=True)
    held = cookies(request)
    number = logged_in(state, request)
    if number:
        return Visit(_session(state, str(number)), has_cookie=_cookie_name("wp_woocommerce_session_", state) in held)
    key = _cookie_key(state, held.get(_cookie_name("wp_woocommerce_session_", state), ""))
    return Visit(_session(state, key or new_key()), has_cookie=bool(key))


def keep(state: State, session: Session) -> None:
    """Keep a session for two days from now; every writing request does."""
    session.expires = state.now() + LIFETIME
    state.sessions[session.key] = session
    state.changed()


def new_key() -> str:
    """Return the key of a new guest's session."""
    return f"t_{secrets.token_hex(15)}"


def _session(state: State, key: str) -> Session:
    found = state.sessions.get(key)
    if found and found.expires > state.now():
        return found
    session = Session(key)
    person = state.people.get(session.customer_id)
    if person:
        document = documents.of_person(person)
        session.billing = fill(session.billing, {name: each for name, each in document["billing"].items() if each})
        session.shipping = fill(session.shipping, {name: each for name, each in document["shipping"].items() if each})
        session.billing["email"] = session.billing["email"] or person.email
    return session


def cookies(request: ApiRequest) -> dict[str, str]:
    """Return the cookies of a request, decoded."""
    return {name: unquote(value) for name, value in parse_cookie(request.headers.get("cookie", "")).items()}


def _sign(state: State, text: str) -> str:
    return hmac.new(SECRET + state.home.encode(), text.encode(), hashlib.sha256).hexdigest()


def _cookie_name(start: str, state: State) -> str:
    return start + hashlib.md5(state.home.encode(), usedforsecurity=False).hexdigest()


def _coded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mac(state: State, text: str) -> str:
    return _coded(hmac.new(SECRET + state.home.encode(), text.encode(), hashlib.sha256).digest())


def token(state: State, session: Session) -> str:
    """Return a new Cart-Token of a session: a JWT (HS256) good for 48 hours."""
    now = state.now()
    issuer = "store-api" if state.is_ten else "wc/store/v1"
    claims = {"user_id": session.key, "exp": now + LIFETIME, "iss": issuer, "iat": now}
    text = f"{_coded({'alg': 'HS256', 'typ': 'JWT'})}.{_coded(claims)}"
    return f"{text}.{_mac(state, text)}"


def token_key(state: State, text: str) -> str:
    """Return the session's key in a Cart-Token, nothing when it is forged, broken or too old."""
    head, _, mac = text.rpartition(".")
    if not head or not hmac.compare_digest(_mac(state, head).encode(), mac.encode()):
        return ""
    part = head.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return str(claims["user_id"]) if claims["exp"] > state.now() else ""


def nonce(state: State, ago: int = 0, action: str = "wc_store_api") -> str:
    """Return the nonce of this half day (or `ago` half days back): the same for all guests."""
    return _sign(state, f"{action}|{state.now() // HALF_DAY - ago}")[:10]


def is_nonce(state: State, text: str, action: str = "wc_store_api") -> bool:
    """Say whether a nonce is one of this half day or the one before."""
    return text in (nonce(state, 0, action), nonce(state, 1, action))


def _cookie_key(state: State, value: str) -> str:
    divider = "|" if state.is_ten else "||"
    head, _, mac = value.rpartition(divider)
    if not head or not hmac.compare_digest(_sign(state, head).encode(), mac.encode()):
        return ""
    key, expires, _ = head.split(divider)
    return key if int(expires) > state.now() else ""


def session_cookie(state: State, request: ApiRequest, session: Session) -> tuple[str, str]:
    """Return the header that sets the session cookie: HttpOnly, 48 hours, Secure over https (storefront:005)."""
    divider, expires = "|" if state.is_ten else "||", state.now() + LIFETIME
    head = divider.join((session.key, str(expires), str(expires - (86400 if state.is_ten else 3600))))
    value = quote(f"{head}{divider}{_sign(state, head)}")
    secure = "secure; " if request.secure else ""
    ends = f"expires={http_date(expires)}; Max-Age={LIFETIME}; path=/; {secure}HttpOnly"
    return "Set-Cookie", f"{_cookie_name('wp_woocommerce_session_', state)}={value}; {ends}"


def cart_cookies(state: State, request: ApiRequest, cart_hash: str) -> list[tuple[str, str]]:
    """Return the headers that set the two cookies scripts can read, only those that change; without a hash they end.

    Seen in storefront:005, storefront:080 and storefront:143.
    """
    held = cookies(request)
    if cart_hash:
        wanted = {ITEMS_COOKIE: "1", HASH_COOKIE: cart_hash}
        return [("Set-Cookie", f"{name}={text}; path=/") for name, text in wanted.items() if held.get(name) != text]
    if ITEMS_COOKIE not in held:
        return []
    ends = f"expires={http_date(state.now() - 3600)}; Max-Age=0; path=/"
    return [("Set-Cookie", f"{name}=0; {ends}") for name in (ITEMS_COOKIE, HASH_COOKIE)]


def login_cookie(state: State, request: ApiRequest, number: int) -> tuple[str, str]:
    """Return the header that logs an account in; raises Refused for an unknown one."""
    state.person(number)
    value = quote(f"{number}|{_sign(state, f'login {number}')}")
    secure = "secure; " if request.secure else ""
    return "Set-Cookie", f"{_cookie_name('wordpress_logged_in_', state)}={value}; path=/; {secure}HttpOnly"


def take_along(state: State, guest: Session, number: int) -> None:
    """Put what a guest has in the cart into the account's own, as WooCommerce does at login."""
    own = _session(state, str(number))
    own.items = {**guest.items, **own.items}
    own.coupons += [code for code in guest.coupons if code not in own.coupons]
    keep(state, own)


def logout_cookie(state: State) -> tuple[str, str]:
    """Return the header that logs an account out."""
    ends = f"expires={http_date(state.now() - 3600)}; Max-Age=0; path=/; HttpOnly"
    return "Set-Cookie", f"{_cookie_name('wordpress_logged_in_', state)}=0; {ends}"


def logged_in(state: State, request: ApiRequest) -> int:
    """Return the number of the account that is logged in, 0 for a guest."""
    number, _, mac = cookies(request).get(_cookie_name("wordpress_logged_in_", state), "").partition("|")
    if not number or not hmac.compare_digest(_sign(state, f"login {number}").encode(), mac.encode()):
        return 0
    return int(number) if int(number) in state.people else 0
