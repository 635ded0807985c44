"""What a batch came to, as values: what Mautic answered, and what is written of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from integration.errors import Blame, IntegrationError, ServiceError
from integration.mautic.results import Receipt
from integration.pipeline.delivery.acts import Followed
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome
from integration.pipeline.delivery.lost_answers import Question
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.delivery.read_back import ReadBack
from integration.pipeline.sync_log.writing import Entry


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the plans in Mautic; `receipts` by person key, `proofs` of what was read back.

    `broken` is the connection's error that stopped the contact writes. `notes` tell by delivery id of an old payload
    that served, `put_off` are deliveries that the store could not say the truth of, and why.
    """

    planned: Sequence[PersonPlan] = ()
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    broken: ServiceError | None = None
    followed: Sequence[Followed] = ()
    proofs: Sequence[ReadBack] = ()
    notes: Mapping[int, str] = field(default_factory=dict)
    put_off: Sequence[tuple[LeasedDelivery, IntegrationError]] = ()

    def contact_of(self, planned: PersonPlan) -> int | None:
        """Return the id of a person's contact if it stands in Mautic as it was to be, else None."""
        receipt = self.receipts.get(planned.group.person_key)
        if receipt is not None:
            return receipt.mautic_id if receipt.error is None else None
        return planned.link.contact_id if planned.unchanged and planned.link else None

    def reached(self) -> Iterator[tuple[PersonPlan, int]]:
        """Yield the plans whose contact stands in Mautic, with its id: their follow-ups can be done."""
        for planned in self.planned:
            contact_id = self.contact_of(planned)
            if contact_id is not None:
                yield planned, contact_id

    def follow_up_failure(self) -> ServiceError | None:
        """Return the connection's error that a follow-up met."""
        errors = (result.error for result in self.followed)
        whose = (e for e in errors if isinstance(e, ServiceError) and e.blame is Blame.CONNECTION)
        return next(whose, None)


@dataclass(frozen=True, slots=True)
class Laid:
    """What a batch was planned with; `kept` has what was stored of people beside their links, read before that.

    It has those whose records may get stamps (sent_stamps.py). What changed between makes a stamp that never holds.
    """

    context: BatchContext
    kept: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Everything that is written of a batch, in one transaction; `calls` to Mautic, `seconds` that it took.

    `broken` is the connection's error that holds the connector. `probing` says that the batch was the probe of a hold,
    which it renews or ends. `laid` is None where no stamps are given.
    """

    connector_id: int
    token: str
    correlation_id: str
    outcomes: Sequence[Outcome]
    entries: Sequence[Entry]
    sent: Sent
    question: Question
    broken: ServiceError | None = None
    probing: bool = False
    calls: int = 0
    seconds: float = 0.0
    laid: Laid | None = None
