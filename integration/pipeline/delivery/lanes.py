"""What the lanes of one process share about a connector."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

from integration.mautic.batches import BatchSize


@dataclass
class Lanes:
    """Batch size, the people that a faulty server refused in a row, those of each refusal, the gate to Mautic.

    While one lane reads the list of Mautic's fields the others wait for it (`listing`). The gate lets `width` lanes
    call at once; one lane more than that has its next batch ready meanwhile.
    """

    size: BatchSize
    width: int = 2
    faulty: set[str] = field(default_factory=set)
    alike: dict[tuple[str, ...], set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the gate and the locks."""
        self.gate = threading.BoundedSemaphore(self.width)
        self.probing = threading.Lock()
        self.listing = threading.Lock()
        self._batches = itertools.count()

    @property
    def most(self) -> int:
        """Return how many lanes there may be."""
        return self.width + 1

    def proof_due(self, every: int) -> bool:
        """Return True for the first batch of this process and for each `every`th after it."""
        return next(self._batches) % every == 0
