"""Whom a connection trusts: the public authorities, and those that a person has named."""

from __future__ import annotations

import ssl
from functools import lru_cache

import requests
from urllib3.util.ssl_ import create_urllib3_context

from integration import certificates


class NoAuthority(requests.exceptions.RequestException):
    """What is kept as the authority to trust holds no certificate; the text says so of a server's name before it."""


@lru_cache(maxsize=64)
def context_of(pem: str) -> ssl.SSLContext:
    """Return a context that trusts these authorities; requests adds the public ones. Raises NoAuthority.

    An authority counts wherever it stands in its own chain: people paste the one that signed, not always its root.
    """
    if certificates.is_unread(pem):
        raise NoAuthority(f"certificate authority was kept as the file {pem}, which could not be read.")
    context = create_urllib3_context()
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=pem)
    except ssl.SSLError as error:
        raise NoAuthority("certificate authority cannot be read.") from error
    return context
