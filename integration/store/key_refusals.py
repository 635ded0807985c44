"""Why a store refuses a key: its 401 and 403 answers, by code and message."""

from __future__ import annotations

import re
from typing import Any

from integration.errors import AuthRejected, NotSetUp, ServiceError
from integration.store.access import SERVICE

_NEW_KEY = "Make a new key with read and write permission under WooCommerce, Settings, Advanced, REST API."
_ENTER = "Enter key and secret again, both from the same row under WooCommerce, Settings, Advanced, REST API."

#: Part of the message of woocommerce_rest_authentication_error -> code, sentence, hint (woo:168 to woo:183).
_MESSAGES = (
    (r"secret is invalid", "wrong_secret", "The consumer secret does not belong to the consumer key.", _ENTER),
    (r"consumer key is invalid", "wrong_key", "The store does not know the consumer key.", _ENTER),
    (
        r"signature",
        "bad_signature",
        "The store does not accept the signature of the request.",
        "Enter the address exactly as under WordPress, Settings, General (http or https, www or not), and check the "
        "secret; better still, use https.",
    ),
    (
        r"timestamp",
        "clock",
        "The clocks of the store and of this server are more than 15 minutes apart.",
        "Set both clocks by NTP, or use https, where the time does not matter.",
    ),
    (
        r"nonce",
        "nonce",
        "The store says that it has seen this very request before.",
        "Look for a proxy that sends requests twice, or use https.",
    ),
    (r"write permissions", "read_only_key", "The key may only read, not write.", _NEW_KEY),
    (r"read permissions", "write_only_key", "The key may only write, not read.", _NEW_KEY),
)


def refusal(status: int, problem: dict[str, Any], excerpt: str) -> ServiceError:
    """Return the error of a 401 or 403 with WordPress' JSON body; messages may be in any language, codes are not."""
    code, message = str(problem.get("code", "")), str(problem.get("message", ""))
    if code == "woocommerce_rest_authentication_error":
        return _named(status, message, excerpt)
    if code == "woocommerce_rest_authentication_missing_parameter":
        return _rejected(status, "oauth_incomplete", f"The store misses a part of the signature: {message}.", _PROXY)
    if code.startswith("woocommerce_rest_"):
        return _without_rights(status, excerpt)
    return NotSetUp(
        SERVICE,
        "rest_disabled",
        f"The store's API is shut by a plugin or a rule ({code or status}).",
        "Allow the REST API for signed-in users in the security plugin, or take wc/v3 out of its rules.",
        status=status,
        excerpt=excerpt,
    )


_PROXY = "Look for a proxy that drops parts of the address."


def _named(status: int, message: str, excerpt: str) -> AuthRejected:
    for pattern, code, sentence, hint in _MESSAGES:
        if re.search(pattern, message, re.IGNORECASE):
            return _rejected(status, code, sentence, hint, excerpt)
    return _rejected(status, "key_refused", f"The store refuses the key: {message or status}", _ENTER, excerpt)


def _without_rights(status: int, excerpt: str) -> AuthRejected:
    # A wrong key over https and a right one over http get the same 401 as no key at all (woo:167, woo:171, woo:173).
    if status == 401:
        return _rejected(
            401,
            "wrong_key",
            "The store did not recognise the key.",
            "Check the consumer key. If it is right, the web server drops the Authorization header, or the store sits "
            "behind a proxy and does not know that it is asked over https.",
            excerpt,
        )
    return _rejected(
        status,
        "no_rights",
        "The user of the key may not do this.",
        "Make the key for an administrator or a shop manager.",
        excerpt,
    )


def _rejected(status: int, code: str, sentence: str, hint: str, excerpt: str = "") -> AuthRejected:
    return AuthRejected(SERVICE, code, sentence, hint, status=status, excerpt=excerpt)
