"""One known way to fail: the sign it shows, what to do, and which part of the program notices it."""

from __future__ import annotations

from dataclasses import dataclass

from integration.operations.support.diagnostics.advice import in_general
from integration.operations.support.diagnostics.texts import ADVICE

#: Where a sign is noticed, as the page says it.
TEST = "Connection test"
SYNC = "Sync, in the record's own entry"
MAPPING = "Mapping"
FIELDS = "Mautic Fields"
WEBHOOKS = "Webhooks, watched all the time"
COMPARED = "Reconciliation"


@dataclass(frozen=True, slots=True)
class Known:
    """A failure by its id in the catalogue (M01 to M36 of Mautic, W01 to W35 of the store).

    `code` is the error's code, "" where there is no error to see; `hint` is given where the texts of the connection
    test have none for the code.
    """

    id: str
    sign: str
    code: str
    place: str = TEST
    hint: str = ""

    @property
    def service(self) -> str:
        """Return "mautic" or "store"."""
        return "mautic" if self.id.startswith("M") else "store"

    @property
    def advice(self) -> str:
        """Return what to do."""
        return self.hint or (in_general(self.service, self.code)[1] if self.code in ADVICE else "")
