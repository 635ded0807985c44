"""The one place that decides what becomes of a delivery that did not work."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from integration.errors import (
    AuthRejected,
    Blame,
    Held,
    IntegrationError,
    MappingError,
    NotSetUp,
    Rejected,
    ServerFault,
    SettingError,
    Throttled,
    Unreachable,
)
from integration.mapping.emails import HIDDEN
from integration.mautic.verdicts import REQUIRED

#: Seconds before the second, third, … attempt; after the last one the delivery is a dead letter.
DELAYS = (10, 60, 300, 1800, 7200, 18000)
DELAY_MAX = timedelta(seconds=DELAYS[-1])
#: The pauses of what waits for the other system grow no more after so many tries.
PAUSES_MAX = 4
JITTER = 0.2


class Category(StrEnum):
    """What kind of failure a dead letter is (B2)."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    CONFIGURATION = "configuration"
    UNCERTAIN = "uncertain"
    UNKNOWN = "unknown"


def category(error: IntegrationError) -> Category:
    """Return what kind of failure an error is."""
    if error.code == "uncertain":
        return Category.UNCERTAIN
    if isinstance(error, AuthRejected | NotSetUp | SettingError) or error.code in (REQUIRED, HIDDEN):
        return Category.CONFIGURATION
    if isinstance(error, Unreachable | Throttled | ServerFault | Held):
        return Category.TRANSIENT
    return Category.PERMANENT if isinstance(error, MappingError | Rejected) else Category.UNKNOWN


_FAULTS = {
    Category.PERMANENT: "The data is at fault: a field is missing or was refused.",
    Category.CONFIGURATION: "The connection is at fault: credentials, rights or addresses.",
    Category.TRANSIENT: "Nobody is at fault: the other side did not answer well; it can be sent again.",
    Category.UNCERTAIN: "It may have been done: look at the contact in Mautic before it is sent again.",
}


def fault_of(category: str) -> str:
    """Return whose fault a failure is, as a sentence (A7)."""
    return _FAULTS.get(Category(category), "") if category in set(Category) else ""


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """What to do with a failed delivery; `wait` is None for a dead letter."""

    blame: Blame
    wait: timedelta | None


def decide(error: IntegrationError, faults: int, chance: random.Random) -> RetryDecision:
    """Return what to do after try number `faults` of those that count against the record (1 for the first).

    What the connection is to blame for waits for its hold, what nobody is to blame for is tried again, and the rest is
    a dead letter.
    """
    if error.blame is Blame.RECORD:
        return RetryDecision(error.blame, None)
    if error.blame is Blame.CONNECTION:
        return RetryDecision(error.blame, HELD_BACK)
    return RetryDecision(error.blame, delay(faults, chance))


def delay(faults: int, chance: random.Random) -> timedelta | None:
    """Return how long to wait after try number `faults`, give or take 20 %; None when they are used up."""
    if faults > len(DELAYS):
        return None
    spread = chance.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=DELAYS[max(faults, 1) - 1] * spread)


def pause(tries: int, chance: random.Random) -> timedelta:
    """Return how long what waits for the other system waits after so many tries: half an hour at most."""
    return delay(min(max(tries, 1), PAUSES_MAX), chance) or DELAY_MAX


PROBE_DELAYS = (5, 10, 30, 60, 120, 300)
#: What the connection's fault put back waits for the first probe at least; the hold keeps it for as long as it lasts.
HELD_BACK = timedelta(seconds=PROBE_DELAYS[0])


def probe_delay(probes: int, error: IntegrationError | None) -> timedelta:
    """Return when to look again after `probes` fruitless probes; what the service asked for comes first."""
    if isinstance(error, Throttled) and error.retry_after:
        return timedelta(seconds=min(error.retry_after, 3600.0))
    return timedelta(seconds=PROBE_DELAYS[min(probes, len(PROBE_DELAYS) - 1)])
