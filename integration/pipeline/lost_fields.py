"""What Mautic's answers say of its fields: one that was deleted, or is not as the list has it, is noticed at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timedelta

from integration.errors import Rejected
from integration.errors import ServiceError
from integration.mautic.client import MauticClient
from integration.mautic.results import Receipt
from integration.models.connector import Connector
from integration.pipeline import fieldlist
from integration.pipeline.desk import Desk
from integration.pipeline.desk import Linked
from integration.pipeline.lines import Line
from integration.pipeline.planning import Drawn
from integration.pipeline.planning import draw
from integration.pipeline.ports import Ports
from integration.pipeline.proof import Proof

log = logging.getLogger(__name__)

#: A list that was read so lately can tell no more of a value that Mautic refused: the value is to blame.
RECENT = timedelta(minutes=1)


#: Subject -> fields that were sent for the person and that Mautic turned out not to have.
Lost = Mapping[str, Collection[str]]
Lay = Callable[[Sequence[Line], Connector], Desk]
Write = Callable[[Sequence[Drawn]], tuple[list[Receipt], ServiceError | None]]


@dataclass
class Watch:
    """Looks at the answers to one batch; `connector` has the list of fields that it was mapped by, or a newer one."""

    ports: Ports
    connector: Connector
    client: MauticClient
    gone: frozenset[int]

    def finds(self, drawn: Sequence[Drawn], receipts: Sequence[Receipt]) -> bool:
        """Read the list anew if an answer contradicts it; True if a value went to a field that was not there."""
        lost = {receipt.key: receipt.unknown for receipt in receipts if receipt.unknown}
        _forget(drawn, lost)
        doubtful = bool(lost) or _refused(self.connector, receipts, self.ports.clock.now())
        return doubtful and self._reread() and bool(lost)

    def unproved(self, drawn: Sequence[Drawn], proofs: Sequence[Proof]) -> None:
        """Read the list anew if a contact that was read back has not a field that was sent."""
        lost = {proof.key: proof.unknown for proof in proofs if proof.unknown}
        _forget(drawn, lost)
        if lost:
            self._reread()

    def _reread(self) -> bool:
        try:
            self.connector = fieldlist.refresh(self.ports, self.connector, self.client)
        except ServiceError as error:
            log.info("The list of fields could not be read: %s", error)
            return False
        return True

    def rewritten(
        self, drawn: Sequence[Drawn], receipts: Sequence[Receipt], lay: Lay, write: Write
    ) -> tuple[list[Drawn], list[Receipt], ServiceError | None]:
        """Map anew, by the new list, who met a field that was not there, and write again what has room now.

        Return all plans and receipts of the batch as they are then, and the connection's error that stopped it.
        """
        again = _redrawn(drawn, receipts, lay([one.line for one in drawn], self.connector), self.gone)
        first, anew = {receipt.key: receipt for receipt in receipts}, {one.line.subject: one for one in again}
        written, broken = write([one for one in again if _has_room(one, first)])
        second = {receipt.key: receipt for receipt in written if receipt.key in anew}
        _forget(again, {key: second.get(key, first[key]).unknown for key in anew})
        done = first | {key: _as_one(first[key], receipt) for key, receipt in second.items()}
        return [anew.get(one.line.subject, one) for one in drawn], list(done.values()), broken


def _forget(drawn: Sequence[Drawn], lost: Lost) -> None:
    """Let no value count as confirmed that went to a field which is not there."""
    for one in drawn:
        one.lost |= set(lost.get(one.line.subject, ()))


def _refused(connector: Connector, receipts: Sequence[Receipt], now: datetime) -> bool:
    """Tell whether Mautic refused the value of a field that the list has, and the list is old enough to be wrong."""
    if connector.fields_at is not None and now - connector.fields_at < RECENT:
        return False
    known = {field["alias"] for field in connector.fields}
    return any(not known.isdisjoint(_named(receipt)) for receipt in receipts)


def _named(receipt: Receipt) -> set[str]:
    details = receipt.error.details if isinstance(receipt.error, Rejected) else {}
    return {*receipt.refused, *details}


def _redrawn(drawn: Sequence[Drawn], receipts: Sequence[Receipt], desk: Desk, gone: frozenset[int]) -> list[Drawn]:
    ids = {receipt.key: receipt.mautic_id for receipt in receipts if receipt.unknown and receipt.error is None}
    links = {subject: Linked(number, _hashes(desk, subject)) for subject, number in ids.items() if number is not None}
    known = replace(desk, links={**desk.links, **links})
    return [draw(one.line, known, gone) for one in drawn if one.line.subject in ids]


def _hashes(desk: Desk, subject: str) -> Mapping[str, str]:
    link = desk.links.get(subject)
    return link.hashes if link else {}


def _has_room(one: Drawn, receipts: Mapping[str, Receipt]) -> bool:
    """Tell whether Mautic has a field again that a line's values could not be written to."""
    return one.write is not None and not one.write.fields.keys().isdisjoint(receipts[one.line.subject].unknown)


def _as_one(first: Receipt, second: Receipt) -> Receipt:
    """Return what both writes of one person came to: the first one made the contact, if it was made."""
    if second.error is not None:
        return second
    return replace(
        second,
        outcome=first.outcome,
        calls=first.calls + second.calls,
        request=first.request,
        status=first.status,
        adjustments=(*first.adjustments, *(each for each in second.adjustments if each not in first.adjustments)),
    )
