"""Who asks: basic and query keys over https, OAuth 1.0a over http, as WooCommerce looks at them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from integration.sandbox.store.http_messages import ApiRequest
from integration.sandbox.store.problems import Refused, not_authentic

WINDOW = 15 * 60
OAUTH = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
METHODS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Pair:
    """A consumer key and secret, what they may do, and the role of the user behind them."""

    key: str
    secret: str
    may: str = "read_write"
    role: str = "administrator"

    @property
    def basic(self) -> tuple[str, str]:
        """Return user and password for HTTP basic."""
        return self.key, self.secret


class Credentials(Pair):
    """The shop's keys: itself read_write, beside it narrower ones."""

    read_only = Pair("ck_" + "2" * 40, "cs_" + "2" * 40, "read")
    write_only = Pair("ck_" + "3" * 40, "cs_" + "3" * 40, "write")
    no_rights = Pair("ck_" + "4" * 40, "cs_" + "4" * 40, role="customer")
    manager = Pair("ck_" + "5" * 40, "cs_" + "5" * 40, role="shop_manager")

    def __init__(self) -> None:
        super().__init__("ck_" + "1" * 40, "cs_" + "1" * 40)

    def find(self, key: str) -> Pair | None:
        """Return the pair of a consumer key."""
        pairs = (self, self.read_only, self.write_only, self.no_rights, self.manager)
        return next((pair for pair in pairs if pair.key == key), None)


class Authentication:
    """Finds the pair behind a request; nonces are remembered for as long as their timestamps count."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.basic_off = False
        self._nonces: dict[str, int] = {}

    def check(self, request: ApiRequest, now: int) -> Pair | None:
        """Return the pair, None for an anonymous request; raises Refused 401 for keys that fail.

        Nothing is looked at unless the raw address has "wp-json/wc/" in it (woo:004 and woo:418 to woo:421). Over
        https an unknown key counts as none at all (woo:167).
        """
        if "wp-json/wc/" not in request.target:
            return None
        pair = self._basic(request) if request.secure else None
        pair = pair or self._oauth(request, now)
        if pair:
            _check_scope(pair, request.method)
        return pair

    def _basic(self, request: ApiRequest) -> Pair | None:
        key, secret = request.query.get("consumer_key"), request.query.get("consumer_secret")
        if not (key and secret):
            key, secret = _header_pair(request.headers.get("authorization", "")) if not self.basic_off else ("", "")
        pair = self.credentials.find(str(key or ""))
        if pair and not hmac.compare_digest(pair.secret.encode(), str(secret).encode()):
            raise not_authentic("Consumer secret is invalid.")
        return pair

    def _oauth(self, request: ApiRequest, now: int) -> Pair | None:
        params = _oauth_params(request)
        given = [name for name in OAUTH if params.get(name)]
        if not given:
            return None
        _check_complete(given)
        pair = self.credentials.find(str(params["oauth_consumer_key"]))
        if pair is None:
            raise not_authentic("Consumer key is invalid.")
        _check_signature(request, params, pair)
        self._check_time(str(params["oauth_timestamp"]), str(params["oauth_nonce"]), now)
        return pair

    def _check_time(self, timestamp: str, nonce: str, now: int) -> None:
        if not timestamp.isdigit() or abs(int(timestamp) - now) > WINDOW:
            raise not_authentic("Invalid timestamp.")
        if nonce in self._nonces:
            raise not_authentic("Invalid nonce - nonce has already been used.")
        self._nonces = {each: at for each, at in self._nonces.items() if at > now - 2 * WINDOW}
        self._nonces[nonce] = now


def _check_scope(pair: Pair, method: str) -> None:
    if method == "OPTIONS":
        return
    needed = "read" if method in READING else "write"
    if needed not in pair.may:
        raise not_authentic(f"The API key provided does not have {needed} permissions.")


def _header_pair(header: str) -> tuple[str, str]:
    kind, _, coded = header.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(coded).decode("utf-8", "replace").partition(":")
    except binascii.Error:
        return "", ""
    return user, password


def _oauth_params(request: ApiRequest) -> dict[str, Any]:
    params = dict(request.query)
    header = request.headers.get("authorization", "")
    if header[:6].lower() == "oauth ":
        found = re.findall(r'(\w+)="([^"]*)"', header[6:])
        params.update({unquote(name): unquote(value) for name, value in found if name != "realm"})
    return params


def _check_complete(given: list[str]) -> None:
    lacking = [name for name in OAUTH if name not in given]
    if lacking:
        noun = "parameter" if len(lacking) == 1 else "parameters"
        text = f"Missing OAuth {noun} {', '.join(lacking)}"
        raise not_authentic(text, "woocommerce_rest_authentication_missing_parameter")


def _check_signature(request: ApiRequest, params: dict[str, Any], pair: Pair) -> None:
    method = METHODS.get(str(params["oauth_signature_method"]))
    if method is None:
        raise not_authentic("Invalid signature - signature method is invalid.")
    base = base_string(request, {name: value for name, value in params.items() if name != "oauth_signature"})
    made = base64.b64encode(hmac.new(f"{pair.secret}&".encode(), base.encode(), method).digest()).decode("ascii")
    # A plus sign in the signature comes in as a space when it was not encoded.
    if not hmac.compare_digest(made, str(params["oauth_signature"]).replace(" ", "+")):
        raise not_authentic("Invalid signature - provided signature does not match.")


def base_string(request: ApiRequest, params: dict[str, Any]) -> str:
    """Return the text that is signed: the shop's own home and port, not what the client called it (woo:181)."""
    path = urlsplit(request.target).path if not request.target.startswith("//") else request.target.partition("?")[0]
    pairs = sorted(f"{_code(name)}={_code(value)}" for name, value in _flat(params))
    address = f"{request.home}/{path.lstrip('/')}"
    return "&".join([request.method, _code(address), _code("&".join(pairs))])


def _flat(params: dict[str, Any]) -> list[tuple[str, str]]:
    # Arrays are signed with their index, so `status[]=` never matches what the client signed (woo:464).
    flat: list[tuple[str, str]] = []
    for name, value in params.items():
        entries = enumerate(value) if isinstance(value, list) else None
        flat += [(f"{name}[{index}]", each) for index, each in entries] if entries else [(name, str(value))]
    return flat


def _code(text: str) -> str:
    return quote(text, safe="-._~")


DENIED = {
    ("list", "GET"): ("cannot_view", "Sorry, you cannot list resources."),
    ("item", "GET"): ("cannot_view", "Sorry, you cannot view this resource."),
    ("list", "POST"): ("cannot_create", "Sorry, you are not allowed to create resources."),
    ("item", "PUT"): ("cannot_edit", "Sorry, you are not allowed to edit this resource."),
    ("item", "DELETE"): ("cannot_delete", "Sorry, you are not allowed to delete this resource."),
    ("batch", "POST"): ("cannot_batch", "Sorry, you are not allowed to batch manipulate this resource."),
}


def check_rights(role: str | None, kind: str, method: str) -> None:
    """Refuse those who may not: 401 for nobody, 403 for a user without rights (woo:171, woo:172, woo:184 and
    woo:185).
    """
    if role in ("administrator", "shop_manager"):
        return
    verb = {"HEAD": "GET", "PATCH": "PUT", "OPTIONS": "GET"}.get(method, method)
    if kind == "item" and verb == "POST":
        verb = "PUT"
    code, message = DENIED.get((kind, verb), DENIED[("list", "GET")])
    raise Refused(403 if role else 401, f"woocommerce_rest_{code}", message)
