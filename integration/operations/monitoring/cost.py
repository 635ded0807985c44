"""The cost meter (X20): calls used and saved, and what is to be expected against Mautic's limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.models.connector import Connector
from integration.pipeline.usage import Sums
from integration.settings import Modules

#: Basic auth costs Mautic a bcrypt check for each call: +420 ms measured at a real server (cost 13).
BASIC_LOSS = 0.42


@dataclass(frozen=True, slots=True)
class Costs:
    """Calls to Mautic over some hours: `single` is what one call for each write would have taken.

    `busiest` is the largest number of calls in one hour, `limit` what Mautic's host allows in an hour (0 unknown),
    `basic_seconds` what basic auth has cost, None where it is not used.
    """

    calls: int
    single: int
    busiest: int
    limit: int
    per_record: float
    basic_seconds: float | None

    @property
    def saved(self) -> int:
        """Return how many calls were saved, never less than none."""
        return max(self.single - self.calls, 0)

    @property
    def share(self) -> float | None:
        """Return the saved calls in percent of what single calls would have been, None without any."""
        return 100 * self.saved / self.single if self.single else None

    @property
    def near(self) -> bool:
        """Return whether the busiest hour came within a fifth of the limit."""
        return bool(self.limit) and self.busiest >= 0.8 * self.limit

    def expected(self, waiting: int) -> int:
        """Return how many calls so many waiting records will take at the rate of these hours."""
        return round(waiting * self.per_record)


def of(hours: Sequence[Sums], connector: Connector, modules: Modules) -> Costs:
    """Return the costs of some hours."""
    calls = sum(hour.mautic_calls for hour in hours)
    pushed = sum(hour.pushed for hour in hours)
    return Costs(
        calls=calls,
        single=sum(hour.single_calls for hour in hours),
        busiest=max((hour.mautic_calls for hour in hours), default=0),
        limit=modules.sync.hourly_limit,
        per_record=calls / pushed if pushed else 0.0,
        basic_seconds=calls * BASIC_LOSS if connector.mautic_method == "basic" else None,
    )
