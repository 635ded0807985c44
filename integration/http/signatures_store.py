"""The part of the table about a store's own refusals: of its keys, and of what its REST API does not have."""

from __future__ import annotations

from integration.errors import AuthRejected, NotSetUp
from integration.http.marks import REFUSALS, Form, Mark, Signature

_OWN: tuple[Form, ...] = ("own",)
_WHERE = "WooCommerce, Settings, Advanced, REST API"
_ENTER = f"Enter key and secret again, both from the same row under {_WHERE}"
_READ_WRITE = f"Set the key's permissions to Read/Write under {_WHERE}."
_REFUSED = "woocommerce_rest_authentication_error"


def _key(name: str, said: str = "", code: str = _REFUSED, statuses: tuple[int, ...] = (401, 403)) -> Mark:
    """Return the mark of a refusal by WooCommerce's code and a part of its message, which is never translated."""
    return Mark(name, statuses, _OWN, code=code, said=said)


_KEYS = (
    Signature(
        "wrong_secret",
        AuthRejected,
        "The consumer key is right, the consumer secret is not.",
        f"{_ENTER}. Copy the secret (cs_…); it is shown only once, so make a new key if it is lost.",
        ("W04",),
        (_key("secret", "secret is invalid"),),
        "store",
    ),
    Signature(
        "wrong_key",
        AuthRejected,
        "The store does not know this consumer key.",
        f"Check the consumer key (ck_…). {_ENTER}; that of a staging copy or of a deleted user is refused too. If it "
        "is right, the web server drops the Authorization header, or the store sits behind a proxy and does not know "
        "that it is asked over https.",
        ("W03", "W05"),
        (
            _key("key", "consumer key is invalid"),
            # A wrong key over https and a right one over http get the same 401 as no key (woo:167, woo:171, woo:173).
            _key("nobody", code="woocommerce_rest_(?!authentication_).*", statuses=(401,)),
        ),
        "store",
    ),
    Signature(
        "bad_signature",
        AuthRejected,
        "The store does not accept the signature made with this key.",
        "Check the consumer secret (cs_…), and that the address is written as in WordPress' general settings (http or "
        "https, www or not); better still, use https.",
        ("W06",),
        (_key("signature", "signature"),),
        "store",
    ),
    Signature(
        "clock",
        AuthRejected,
        "The store refuses the signature, because the clocks are {minutes} minutes apart.",
        "Set both servers' clocks by NTP, or use https, where no time is signed.",
        ("W07",),
        (_key("timestamp", "timestamp"),),
        "store",
    ),
    Signature(
        "nonce",
        AuthRejected,
        "The store says that it has seen this very request before.",
        "Look for a proxy that sends requests twice, or use https.",
        ("W07",),
        (_key("nonce", "nonce"),),
        "store",
    ),
    Signature(
        "read_only_key",
        AuthRejected,
        "The key may only read, but webhooks need it to write.",
        _READ_WRITE,
        ("W08",),
        (_key("write", "write permissions"),),
        "store",
    ),
    Signature(
        "write_only_key",
        AuthRejected,
        "The key may only write, but it must read.",
        _READ_WRITE,
        ("W08",),
        (_key("read", "read permissions"),),
        "store",
    ),
    Signature(
        "key_refused",
        AuthRejected,
        "The store refuses the key: {said}.",
        f"{_ENTER}.",
        (),
        (_key("other words"),),
        "store",
    ),
    Signature(
        "oauth_incomplete",
        AuthRejected,
        "The store misses a part of the signature: {said}.",
        "Look for a proxy that drops parts of the address.",
        (),
        (_key("parameter", code="woocommerce_rest_authentication_missing_parameter"),),
        "store",
    ),
    Signature(
        "no_rights",
        AuthRejected,
        "The key is valid, but its user has no rights for {areas}.",
        "Make the key for a user who is administrator or shop manager.",
        (),
        (_key("rights", code="woocommerce_rest_.*", statuses=(403,)),),
        "store",
    ),
)

_API = (
    Signature(
        "no_woocommerce",
        NotSetUp,
        "WordPress answers, but WooCommerce is not active there.",
        "Activate the plugin WooCommerce (version 5.8 or newer), or enter the address of the site that has the shop.",
        ("W09",),
        (Mark("no route", REFUSALS, _OWN, code="rest_no_route"),),
        "store",
    ),
    Signature(
        "rest_disabled",
        NotSetUp,
        "A plugin or a rule shuts the store's REST API ({reason}).",
        "Allow the REST API for signed-in users in the security plugin (Disable REST API, Solid Security, Wordfence, "
        "…), or take wc/v3 out of its rules.",
        ("W11",),
        (
            Mark("code", (401, 403), _OWN),
            Mark("no code", (401,), ("json", "empty", "text"), r'^(?!\s*\{"errors")'),
        ),
        "store",
    ),
)

STORE = (*_KEYS, *_API)
