"""What it costs to send again whom a change of the mapping or the name space concerns: records, calls and time.

All records of a kind are read again, and only those that come out different are sent: who that is nobody can know
before, so the figures are the most that it can be. A dry run tells them exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import streams
from integration.mapping import triggers
from integration.models.connector import Connector
from integration.models.ledger import CustomerMark, LedgerEntry
from integration.models.run import Run, RunKind, RunState
from integration.pipeline.connectors import mapping_versions
from integration.pipeline.dry_run.forecast import seconds_a_record
from integration.settings import Modules
from integration.store.pages import SIZES

#: Runs that read all records of a kind.
_WIDE = (RunKind.INITIAL, RunKind.FULL, RunKind.BULK)
#: Options that leave records out.
_NARROW = ("ids", "since", "until", "statuses", "dry_run")


@dataclass(frozen=True, slots=True)
class Cost:
    """The most that sending again costs; `modules` is what the run reads, `seconds` None before any run was timed."""

    modules: tuple[str, ...]
    records: int
    store_calls: int
    mautic_calls: int
    seconds: float | None


def owed(session: Session, connector: Connector, modules: Modules) -> Cost | None:
    """Return what sending again would cost; None where no change of the mapping or the name space waits for it.

    Before the first import none does: that one follows the mapping by itself.
    """
    if connector.initial_done_at is None:
        return None
    changed = {*_changed_modules(session, connector.id, modules), *_renamed_modules(session, connector, modules)}
    return _cost(session, connector, sorted(changed), modules) if changed else None


def _changed_modules(session: Session, connector_id: int, modules: Modules) -> tuple[str, ...]:
    """Return the modules whose own rows have changed since all their records were last read."""
    found: list[str] = []
    for shown in mapping_versions.listed(session, connector_id):
        kinds = {name.partition(" ")[0] for name in shown.changes}
        for stream in streams.STREAMS.values():
            sendable = not stream.kept_here and stream.is_enabled(modules)
            if stream.kind in kinds and sendable and not _was_read(session, connector_id, stream, shown.version.at):
                found.append(stream.module)
    return tuple(sorted(set(found)))


def _renamed_modules(session: Session, connector: Connector, modules: Modules) -> Iterator[str]:
    """Yield the modules whose fields and tags have had other names when all their records were last read."""
    since = triggers.since(triggers.NAME_SPACE, connector.triggers)
    if since is None:
        return
    for stream in streams.STREAMS.values():
        sendable = not stream.kept_here and stream.is_enabled(modules)
        if sendable and not _was_read(session, connector.id, stream, since):
            yield stream.module


def _was_read(session: Session, connector_id: int, stream: streams.Stream, since: datetime) -> bool:
    begun = (Run.connector_id == connector_id, Run.created_at >= since, Run.kind.in_(_WIDE))
    going = Run.state.in_((RunState.PENDING, RunState.RUNNING, RunState.COMPLETED))
    for options in session.scalars(select(Run.options).where(*begun, going)):
        only = options.get("only") or [stream.module]
        if stream.module in only and not any(options.get(name) for name in _NARROW):
            return True
    return False


def _cost(session: Session, connector: Connector, changed: Sequence[str], modules: Modules) -> Cost:
    counts = {name: _count(session, connector, name, modules) for name in changed}
    records = sum(counts.values())
    each = seconds_a_record(session, connector.id)
    return Cost(
        tuple(changed),
        records,
        sum(max(-(-count // SIZES[0]), 1) for count in counts.values()),
        -(-records // modules.sync.batch_max),
        None if each is None else records * each,
    )


def _count(session: Session, connector: Connector, module: str, modules: Modules) -> int:
    if module == "orders":
        mine = (LedgerEntry.connector_id == connector.id, LedgerEntry.status.in_(modules.orders.statuses))
        return session.scalar(select(func.count()).select_from(LedgerEntry).where(*mine)) or 0
    marked = select(func.count()).select_from(CustomerMark).where(CustomerMark.connector_id == connector.id)
    return max(session.scalar(marked) or 0, int(connector.cursors.get("customers_total") or 0))
