"""What came of the rows that were handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from integration.errors import ServiceError
from integration.plans import Adjustment, ContactWrite


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One person to be written; `key` is our person key, `mautic_id` the contact it was last written to, if known.

    `seen` says that the contact was just now confirmed to be this person, so that it is not read before the write.
    `former` are person keys of addresses that the contact may still have.
    """

    key: str
    write: ContactWrite
    mautic_id: int | None = None
    seen: bool = False
    former: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one ContactRow; `calls` counts the requests it took part in, `adjustments` what was changed.

    `request` is method and path of the last call it was in, `sent` its row there, `status` the row's own status code.
    `unknown` are fields that were sent and that the contact in the answer does not have, `refused` those whose value
    Mautic refused, `limits` the characters that fields hold by its refusals, `answered` is the contact as the last
    answer shows it.
    """

    key: str
    outcome: Literal["created", "updated", "failed"]
    mautic_id: int | None = None
    error: ServiceError | None = None
    adjustments: tuple[Adjustment, ...] = ()
    calls: int = 0
    request: str = ""
    sent: Mapping[str, Any] | None = None
    status: int | None = None
    unknown: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    answered: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NoteReceipt:
    """What became of one NoteRow; `note_id` may be None when Mautic made it without telling its number."""

    key: str
    outcome: Literal["created", "failed"]
    note_id: int | None = None
    error: ServiceError | None = None


@dataclass(frozen=True, slots=True)
class LostCall:
    """A write whose answer did not come: the keys of its rows, and the seconds that Mautic may still need for them."""

    keys: tuple[str, ...]
    pause_s: float


class Interrupted(Exception):
    """The connection failed in the middle: `error` says why, `receipts` are the rows that were settled before it.

    `lost` is the call that may have been carried out, or still be, None when nothing is in doubt.
    """

    def __init__(
        self, error: ServiceError, receipts: Sequence[Receipt] | Sequence[NoteReceipt], lost: LostCall | None = None
    ) -> None:
        super().__init__(error.code, len(receipts))
        self.error = error
        self.receipts: tuple[Receipt | NoteReceipt, ...] = tuple(receipts)
        self.lost = lost
