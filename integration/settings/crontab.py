"""Crontabs of five fields, read by the wall clock."""

from __future__ import annotations

from datetime import datetime

from croniter import CroniterError, croniter

from integration.field_errors import Unusable

EXAMPLE = "Write five fields such as “30 3 * * 1-5”: at 3:30 on working days, in the store's time zone."
_LENGTH_MAX = 100
_SHOWN_MAX = 60


def checked(cron: str) -> str:
    """Return a crontab as it is kept, "" for none; raises what pydantic takes as an error when it makes no sense."""
    text = " ".join(cron.split())
    if text and (len(text) > _LENGTH_MAX or len(text.split()) != 5 or not _comes(text)):
        raise Unusable(f"“{text[:_SHOWN_MAX]}” is no crontab.", EXAMPLE)
    return text


def _comes(cron: str) -> bool:
    """Tell whether a crontab can be read and ever falls due: 30 February does not."""
    try:
        next_local(cron, datetime(2026, 1, 1))
    except CroniterError:
        return False
    return True


def next_local(cron: str, local: datetime) -> datetime:
    """Return the next moment of a crontab by the wall clock."""
    found: datetime = croniter(cron, local).get_next(datetime)
    return found
