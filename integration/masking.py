"""Masks secrets before anything is written: log, debug file, error text."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from integration import json_text

MASK = "***"

_WORD = (
    r"(?:authorization|passw(?:or)?d|passphrase|passcode|secret|token|consumer[-_]?key|client[-_]?id|api[-_]?key"
    r"|private[-_]?key|access[-_]?key|auth[-_]?key|cookie|signature|nonce"
    # Short words are secrets as a word of a name only: user_pass and x-auth are, passed and author are not.
    r"|(?:(?<![a-z0-9])|(?<=%[0-9a-f]{2})|(?<=%25[0-9a-f]{2}))(?:pwd|pass|auth|session|sess?id|phpsessid|credentials?)(?![a-z0-9]))"
)
_NAME = re.compile(rf"{_WORD}|[a-z0-9]_key$", re.IGNORECASE)
#: Names that look like secrets and are none: e-mail tokens are texts for the reader, the keys name a field or a person.
_HARMLESS = re.compile(
    r"^(?:tokens|token_type|(?:meta|display|sort|cache|primary|foreign|person|legacy|field|group)_key)$", re.IGNORECASE
)

_TAIL = r"[\w.\[\]-]{0,40}(?:%(?:25)*5[BD][\w.-]{0,40}){0,6}"
_JSON_TEXT = re.compile(
    rf"({_WORD}{_TAIL}(?:\\*[\"'])\s*:\s*)(\\*[\"'])(.*?)(?:(?<!\\)\2|\Z)", re.IGNORECASE | re.DOTALL
)
_JSON_NUMBER = re.compile(rf"({_WORD}{_TAIL}(?:\\*[\"'])\s*:\s*)(-?\d[\w.+-]*)", re.IGNORECASE)
_QUOTED = re.compile(rf"({_WORD}{_TAIL}=\s?)(\\*[\"'])(.*?)(?:(?<!\\)\2|\Z)", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(rf"({_WORD}{_TAIL}(?:%(?:25)*3D|=))([^&\s\"'<>]+)", re.IGNORECASE)
_HEADER_LINE = re.compile(r"^((?:proxy-)?authorization|(?:set-)?cookie)(\s*:\s*)[^\r\n]+", re.IGNORECASE | re.MULTILINE)
_STORE_KEYS = re.compile(r"\b(c[ks]_)[0-9A-Za-z_]{8,}")
_ORDER_KEYS = re.compile(r"\b(wc_order_)[0-9A-Za-z]{6,}")
_SCHEME = re.compile(r"\b(Basic|Bearer)(\s+|%20|\+)([A-Za-z0-9+/=._~-]{6,})", re.IGNORECASE)
#: Paths that let in whoever knows them: our webhooks, one-time links and invitations, links of carts and of e-mails,
#: chat systems' hooks.
_SECRET_PATH = re.compile(
    r"((?:/|%2F)(?:hooks|sign-in(?:/|%2F)link|invitation|recover|restore|subscribe(?:/|%2F)confirm|webhooks|services)"
    r"(?:/|%2F))[\w~.%/-]{12,}",
    re.IGNORECASE,
)
#: The code that lets the script in the shop's pages ask for a cart.
_CART_CODE = re.compile(r"(woo-mautic-cart(?:=|%3D))[\w.-]+")
#: Our own API tokens.
_OWN_TOKENS = re.compile(r"\b(wm_)[A-Za-z0-9_-]{8,}")
#: The code of an OAuth sign-in; a short code is an error's or a coupon's name.
_OAUTH_CODE = re.compile(r"((?<![A-Za-z0-9_])code(?:%(?:25)*3D|=))([^&\s\"'<>]{20,})")
#: What may stand around the word in a name; bounded, since a text may repeat the word without end.
_AROUND = r"[\w\[\]-]{0,40}"
#: print_r, var_export, var_dump and serialize of PHP, as plugins print them into answers.
_PHP = (
    re.compile(
        rf"(\[[\"']?{_AROUND}{_WORD}{_AROUND}[\"']?\]\s*=>\s*)(?!(?:Array|NULL)\b)((?:string\(\d+\)\s*)?[^\r\n]+)", re.I
    ),
    re.compile(rf"([\"']{_AROUND}{_WORD}{_AROUND}[\"']\s*=>\s*)([\"'])(.*?)(?:(?<!\\)\2|\Z)", re.I | re.DOTALL),
    re.compile(rf"(\\?\"{_AROUND}{_WORD}{_AROUND}\\?\";s:\d+:\\?\")([^\"]*)", re.I),
)
_INPUT = re.compile(r"<(?:input|textarea|meta)\b[^>]{0,2000}>", re.IGNORECASE)
_INPUT_NAME = re.compile(r"\b(?:name|id)\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_INPUT_VALUE = re.compile(r"(\b(?:value|content)\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_FORM_PART = re.compile(
    rf"(name=\"[^\"\r\n]{{0,60}}{_WORD}[^\"\r\n]{{0,60}}\"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)(.*?)(?=\r?\n--|\Z)",
    re.I | re.DOTALL,
)
#: Bounded, so that a long text without an address costs no more than its length.
_USER_INFO = re.compile(r"([a-z][a-z0-9+.-]{1,19}(?:://|%3A%2F%2F))[^/\s?#\"'<>]{0,500}(?:@|%40)", re.IGNORECASE)
#: A sign, and one of the words, that each of the patterns above needs in a text: most values have none, and are looked
#: at once or twice instead of 17 times. A colon behind a digit is a time's.
_SIGN = re.compile(r"[=%/<]|:(?<!\d:)|c[ks]_|wc_order_|wm_|basic|bearer", re.IGNORECASE)
_SUSPECTS = (
    "auth", "client", "cookie", "credential", "key", "nonce", "pass", "pwd", "secret", "sess", "signature", "token",
    "ck_", "cs_", "wc_order_", "wm_", "basic", "bearer", "://", "%3a%2f%2f", "code=", "code%", "<input", "<textarea",
    "<meta", "woo-mautic-cart", "hooks", "invitation", "recover", "restore", "services", "sign-in", "subscribe",
)  # fmt: skip


@functools.lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Return whether a header, parameter or key of this name holds a secret."""
    return bool(_NAME.search(name)) and not _HARMLESS.match(name)


def mask_text(text: str) -> str:
    """Return the text with keys, tokens, passwords and user info in addresses replaced by ***."""
    return _masked(text) if _is_suspect(text) else text


def _masked(text: str) -> str:
    text = _HEADER_LINE.sub(rf"\g<1>\g<2>{MASK}", text)
    text = _FORM_PART.sub(rf"\g<1>{MASK}", text)
    text = _INPUT.sub(_masked_input, text)
    text = _PHP[1].sub(rf"\g<1>\g<2>{MASK}\g<2>", text)
    text = _PHP[2].sub(rf"\g<1>{MASK}", _PHP[0].sub(rf"\g<1>{MASK}", text))
    text = _JSON_TEXT.sub(rf"\g<1>\g<2>{MASK}\g<2>", text)
    text = _JSON_NUMBER.sub(rf"\g<1>{MASK}", text)
    text = _QUOTED.sub(rf"\g<1>\g<2>{MASK}\g<2>", text)
    text = _PAIR.sub(rf"\g<1>{MASK}", text)
    text = _STORE_KEYS.sub(rf"\g<1>{MASK}", text)
    text = _ORDER_KEYS.sub(rf"\g<1>{MASK}", text)
    text = _OWN_TOKENS.sub(rf"\g<1>{MASK}", text)
    text = _OAUTH_CODE.sub(rf"\g<1>{MASK}", text)
    text = _CART_CODE.sub(rf"\g<1>{MASK}", text)
    text = _SECRET_PATH.sub(rf"\g<1>{MASK}", text)
    text = _SCHEME.sub(_masked_scheme, text)
    return _USER_INFO.sub(rf"\g<1>{MASK}@", text)


def _is_suspect(text: str) -> bool:
    if not _SIGN.search(text):
        return False
    # The patterns take a Turkish i for an i.
    plain = text.lower() if text.isascii() else text.casefold().replace("ı", "i").replace("\u0307", "")
    return any(word in plain for word in _SUSPECTS)


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with every secret-bearing value replaced by ***."""
    return {name: MASK if is_secret(name) else mask_text(str(value)) for name, value in headers.items()}


def mask_value(value: Any) -> Any:
    """Return a JSON value with the values of secret-named keys replaced, at any depth.

    A pair like {"key": "_api_key", "value": "x"}, as WooCommerce writes meta data, is masked too.
    """
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        paired = _names_secret(value)
        return {
            _masked_key(key): _masked_leaves(inner) if _hides(key, paired) else mask_value(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask_value(inner) for inner in value]
    return value


def mask_body(body: str) -> str:
    """Return a request's or answer's body masked; JSON keeps its form, anything else is treated as text."""
    try:
        value = json_text.loads(body)
    except ValueError:
        return mask_text(body)
    masked = mask_value(value)
    return mask_text(body if masked == value else json.dumps(masked, ensure_ascii=False))


def secrets_of(headers: Mapping[str, str], url: str, body: str = "") -> set[str]:
    """Return the secrets that a request carries, so that they can be hidden where an answer repeats them."""
    pairs = parse_qsl(urlsplit(url).query) + ([] if body.lstrip()[:1] in ("{", "[") else parse_qsl(body))
    found = {value for name, value in pairs if is_secret(name)}
    for name, value in headers.items():
        if is_secret(name):
            found |= _credentials(str(value))
    user_info = urlsplit(url).netloc.rpartition("@")[0]
    found |= {unquote(part) for part in user_info.split(":", 1) if part}
    return {secret for secret in found if len(secret) >= 6}


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return the text with each of the secrets, plain or percent-encoded, replaced by ***."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
            text = text.replace(form, MASK)
    return text


def _credentials(value: str) -> set[str]:
    scheme, _, rest = value.partition(" ")
    if not rest:
        return {value}
    decoded = _decoded(rest) if scheme.lower() == "basic" else ""
    password = decoded.partition(":")[2]
    return {rest} | ({password} if password else set())


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _masked_scheme(match: re.Match[str]) -> str:
    # "Basic authentication" in a sentence is not a credential.
    word = match[3]
    plain = match[1].lower() == "basic" and word.isalpha() and word.islower() and ":" not in _decoded(word)
    return match[0] if plain else f"{match[1]}{match[2]}{MASK}"


def _masked_input(match: re.Match[str]) -> str:
    """Mask the value of a form's input whose name, or whose type, says that it holds a secret."""
    tag = match[0]
    secret = any(is_secret(name) for name in _INPUT_NAME.findall(tag)) or "password" in tag.lower()
    return _INPUT_VALUE.sub(rf'\g<1>"{MASK}"', tag) if secret else tag


def _names_secret(value: Mapping[Any, Any]) -> bool:
    names = (value.get("key"), value.get("name"))
    return "value" in value and any(isinstance(name, str) and is_secret(name) for name in names)


def _hides(key: object, paired: bool) -> bool:
    return isinstance(key, str) and (is_secret(key) or (paired and key.endswith("value")))


def _masked_key(key: Any) -> Any:
    return mask_text(key) if isinstance(key, str) else key


def _masked_leaves(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_masked_key(key): _masked_leaves(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked_leaves(inner) for inner in value]
    return value if value is None or isinstance(value, bool) or value == "" else MASK
