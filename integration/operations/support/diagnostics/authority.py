"""What a connection test says of an own certificate authority: that it is over, or soon will be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from integration import certificates
from integration.errors import ServiceError
from integration.operations.support.diagnostics.advice import finer
from integration.operations.support.diagnostics.steps import Failed, Finding


@contextmanager
def told(service: str, ca: str | None, now: datetime) -> Iterator[None]:
    """Say of a call that failed over dates whether it was the authority's: OpenSSL does not tell whose they were."""
    try:
        yield
    except ServiceError as error:
        known = certificates.stored(ca or "")
        if not certificates.outdated(known, now) or finer(error) not in ("tls", "tls_expired"):
            raise
        last = certificates.last_of(known)
        begins, ends = certificates.day(last.begins), certificates.day(last.ends)
        raise Failed(service, "authority_ended", subject=last.subject, begins=begins, ends=ends) from error


def warn(service: str, found: Finding, ca: str | None, now: datetime) -> None:
    """Warn of an authority that ends within the month."""
    last = certificates.ending(certificates.stored(ca or ""), now)
    if last is not None:
        found.warn(service, "authority_ends", subject=last.subject, day=certificates.day(last.ends))
