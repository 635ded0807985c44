"""How the events of the feed are put into words."""

from __future__ import annotations

from datetime import datetime

from integration import words
from integration.models.alert import Alert
from integration.models.audit import AuditEntry
from integration.models.drift import Gap, Reconciliation
from integration.models.hold import Hold
from integration.models.run import Run, RunState

#: level, sentence's beginning, detail
Words = tuple[str, str, str]

RUNS = {
    "initial": "Initial import",
    "full": "Full sync",
    "incremental": "Incremental sync",
    "bulk": "Bulk sync",
    "replay": "Replay",
}
_ENDS = {
    RunState.COMPLETED.value: ("ok", "completed"),
    RunState.FAILED.value: ("bad", "failed"),
    RunState.CANCELLED.value: ("muted", "was cancelled"),
}
_HELD = {"mautic": "Sending to Mautic", "store": "Reading the store"}
_CHANGES = {
    "CREATED": "Made",
    "UPDATED": "Changed",
    "DELETED": "Deleted",
    "PAUSED": "Paused",
    "RESUMED": "Resumed",
    "SYNC_PAUSED": "Paused",
    "REPLAYED": "Sent again",
    "DISCARDED": "Given up",
    "LOG_CLEARED": "Cleared",
    "DEBUG_ON": "Debug mode switched on",
    "DEBUG_OFF": "Debug mode switched off",
    "WEBHOOKS_CHANGED": "Webhooks changed",
    "FIELDS_CREATED": "Fields made in Mautic",
    "REPAIRED": "Repaired",
    "EDITED": "Corrected",
    "STORE_CONFIRMED": "Said what the store is",
    "RESTORED": "Put a backup back",
}


def run_started(run: Run) -> Words:
    """Say that a run began, and by whom."""
    return "info", f"{_kind(run)} {run.id} started.", f"Started by {run.trigger}." if run.trigger else ""


def run_ended(run: Run) -> Words:
    """Say how a run ended, with its figures."""
    level, how = _ENDS.get(run.state, ("muted", "ended"))
    if run.state == RunState.COMPLETED and (run.failed or run.error_code):
        level = "warn"
    figures = {"read": run.pulled, "sent": run.pushed, "skipped": run.skipped, "failed": run.failed}
    counted = ", ".join(f"{number:,} {what}" for what, number in figures.items())
    return level, f"{_kind(run)} {run.id} {how}: {counted}.", run.error


def _kind(run: Run) -> str:
    return RUNS.get(run.kind, run.kind.capitalize())


def held(hold: Hold) -> Words:
    """Say why work waits."""
    return "bad", f"{_HELD.get(hold.service, hold.service)} is on hold: {hold.sentence}", hold.hint


def released(hold: Hold) -> Words:
    """Say that work goes on."""
    detail = f"It had been on hold for {_span(hold.since, hold.released_at)}: {hold.sentence}"
    return "ok", f"{_HELD.get(hold.service, hold.service)} goes on.", detail


def raised(alert: Alert) -> Words:
    """Say what is wrong."""
    return "bad", f"Alert: {alert.sentence}", alert.hint


def ended(alert: Alert) -> Words:
    """Say that it is right again."""
    return "ok", f"Over after {_span(alert.since, alert.ended_at)}: {alert.sentence}", ""


def compared(found: Reconciliation) -> Words:
    """Say what a reconciliation found."""
    kinds = {"missing": found.missing, "doubled": found.doubled, "different": found.differs, "surplus": found.surplus}
    drift = ", ".join(f"{number:,} {what}" for what, number in kinds.items() if number)
    level = "bad" if found.error else "warn" if drift else "ok"
    how = "stopped" if found.error else "was cancelled" if found.state.upper() == "CANCELLED" else "ended"
    sentence = f"Reconciliation {found.id} {how}: {words.counted(found.pulled, 'person', 'people')} looked at"
    return level, f"{sentence}, {drift or 'all is as it should be'}.", found.error


def compares(found: Reconciliation) -> Words:
    """Say that a reconciliation began."""
    return "info", f"Reconciliation {found.id} started.", f"Started by {found.trigger}." if found.trigger else ""


def noticed(gap: Gap) -> Words:
    """Say that webhooks did not come."""
    return "warn", f"Webhooks did not come: {gap.sentence}", gap.error


def healed(gap: Gap) -> Words:
    """Say that what the webhooks missed was fetched."""
    saved = words.counted(gap.saved, "record was", "records were")
    return "ok", f"Webhooks come again: {saved} fetched that they had missed.", gap.sentence


def failed(number: int, waiting: int, error: str) -> Words:
    """Say how many records failed in a minute, and how many of them still wait as dead letters."""
    sentence = f"{words.counted(number, 'record', 'records')} failed"
    said = f"{sentence}: {error}" if error else f"{sentence}."
    if not waiting:
        return "muted", said, "Dealt with since." if number == 1 else "All of them were dealt with since."
    return "bad", said, "" if waiting == number else f"{waiting:,} of them still wait; the others were dealt with."


def kept(number: int, error: str) -> Words:
    """Say how many values of somebody else in Mautic were kept in a minute."""
    whose = words.counted(number, "contact was", "contacts were")
    return "muted", f"{whose} changed in Mautic by somebody else; those values were kept.", error


def changed(entry: AuditEntry) -> Words:
    """Say what a person did."""
    what = _CHANGES.get(entry.action, entry.action.replace("_", " ").capitalize())
    return "info", f"{what}: {entry.entity}." if entry.entity else f"{what}.", ""


def _span(since: datetime, until: datetime | None) -> str:
    seconds = max((until - since).total_seconds(), 0) if until else 0.0
    return words.span(seconds)
