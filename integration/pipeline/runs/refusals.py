"""Lists that the store refuses while it gives others: what counts as such, how a run goes on, and how it ends.

A list is refused when not one page of it came: no right, a firewall's rule, a fault of the store for this list only.
One that breaks off after pages, and a store that cannot be reached, end the reading as ever, to be tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from integration.errors import AuthRejected, Held, NotSetUp, ServerFault, ServiceError
from integration.mapping.emails import HIDDEN
from integration.models.run import Run, RunState
from integration.pipeline.connectors import holds
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.store.access import SERVICE

#: Key of a run's cursor: name of a part -> why the store refused it.
REFUSED = "refused"
#: The code of a run that ended without one of its parts.
PARTLY_READ = "partly_read"
#: A part of a run that the store refuses, while it gives others, is tried again so often before the run does without.
PART_TRIES_MAX = 3
#: Errors that may be the refusal of one list; `concerns_all` tells those that are not.
ERRORS = (AuthRejected, NotSetUp, ServerFault, Held)
#: After a refused part so many more failed calls mean that the store as a whole does not answer.
_FAILURES_AFTER = 2
#: Part of a run -> the records that it reads.
_NOUNS = {
    "ledger": "the list of orders",
    "customers": "customers",
    "orders": "orders",
    "changes": "changed orders",
    "trash": "orders in the trash",
    "drafts": "unfinished orders",
    "recurring": "subscriptions",
    "recurring_changes": "changed subscriptions",
    "moved": "changed customers",
}


def concerns_all(error: ServiceError) -> bool:
    """Return whether the error would be that of every list: the key itself, or addresses that a CDN hides."""
    return error.code in (HIDDEN, "wrong_key", "wrong_secret")


def passes(error: ServiceError) -> bool:
    """Return whether the list may be given again by itself: worth some tries before a run does without."""
    return isinstance(error, ServerFault | Held)


def go_on_after(services: Services, connector_id: int, error: ServiceError) -> None:
    """Let the other lists be asked for, although the breaker may have opened for this one."""
    with services.db.write() as session:
        holds.release(session, services.clock.now(), connector_id, SERVICE, error.code)
    services.breakers.of(connector_id, SERVICE).close(limit=_FAILURES_AFTER)


def told(refused: Mapping[str, str]) -> str:
    """Return which parts the store does not give and why, "" for none; `refused` is what stands in the cursor."""
    return " ".join(f"The store does not give {_NOUNS.get(name, name)}: {why}" for name, why in refused.items())


def complete(session: Session, now: datetime, run: Run) -> None:
    """End a run COMPLETED; one that had to do without a part says so in its log and keeps it as its error."""
    refused = told(run.cursor.get(REFUSED) or {})
    if refused:
        run_lifecycle.add_line(session, now, run.id, refused, "error")
    run_lifecycle.finish(session, now, run, RunState.COMPLETED)
    if refused:
        run.error_code, run.error = PARTLY_READ, refused
