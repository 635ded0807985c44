"""What to say and what to do, by error code."""

from __future__ import annotations

import string

from integration.errors import Rejected, ServiceError, Throttled
from integration.http.errors import PASTE_AT
from integration.http.upstream import gaps_of, wait_of
from integration.operations.support.diagnostics.texts import ADVICE, Advice


def advise(service: str, code: str, **parts: object) -> Advice:
    """Return (sentence, what to do) of a code for "store" or "mautic", the gaps filled."""
    sentence, hint = ADVICE[code]
    known = {**gaps_of(service), "paste_at": PASTE_AT, **parts}
    return _capital(sentence.format(**known)), _capital(hint.format(**known))


def in_general(service: str, code: str) -> Advice:
    """Return (sentence, what to do) of a code as it reads without a case: gaps that a case would fill are dots."""
    sentence, hint = ADVICE[code]
    gaps = {name: "…" for text in (sentence, hint) for _, name, _, _ in string.Formatter().parse(text) if name}
    return advise(service, code, **{name: dots for name, dots in gaps.items() if name not in _KNOWN})


_KNOWN = ("name", "place", "paths", "log", "paste_at")


def of_error(service: str, error: ServiceError) -> tuple[str, str, str]:
    """Return (code, sentence, what to do) of an error that a client or the transport raised."""
    code = finer(error)
    if isinstance(error, Rejected):
        # Only its own sentence names what was refused; codes such as "refused" and "too_large" are connections' too.
        return code, error.sentence, error.hint
    wait = wait_of(error.retry_after) if isinstance(error, Throttled) else ""
    try:
        return code, *advise(service, code, status=error.status, wait=wait)
    except KeyError:
        # The table has no such code, or only whoever looked closer could fill its gaps.
        return code, error.sentence, error.hint


def finer(error: ServiceError) -> str:
    """Return the error's code, told apart further by what OpenSSL or our own guard said underneath."""
    said = repr(error.__cause__).lower()
    if "privateaddress(" in said:
        # urllib3 takes the guard's refusal for a connection that was cut.
        return "private_address"
    if error.code not in ("tls", "self_signed"):
        return error.code
    return next((code for mark, code in _TLS_MARKS.items() if mark in said), error.code)


_TLS_MARKS = {
    "expired": "tls_expired",
    "mismatch": "tls_name",
    "doesn't match": "tls_name",
    "not valid for": "tls_name",
    "local issuer": "tls_chain",
}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
