"""What is recognised: every known failure of the store and of Mautic, and where it is noticed."""

from __future__ import annotations

from collections.abc import Sequence

from integration.operations.support.diagnostics.catalogue.known import Known
from integration.operations.support.diagnostics.catalogue.of_mautic import MAUTIC
from integration.operations.support.diagnostics.catalogue.of_store import STORE

__all__ = ["EVERY", "MAUTIC", "STORE", "Known", "by_service"]
EVERY = {known.id: known for known in (*MAUTIC, *STORE)}


def by_service() -> list[tuple[str, Sequence[Known]]]:
    """Return (name of the service, its known failures), the store first."""
    return [("Store", STORE), ("Mautic", MAUTIC)]
