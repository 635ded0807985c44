"""Who is on Mautic's Do Not Contact since a moment: from its statistics, or by a search where those are refused.

The statistics have one row an entry (mautic:331, mautic:416). An entry keeps its id when its reason changes, so that an
id alone does not tell what is new (mautic:195): rows are asked for by their date and gone through by their id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integration.errors import AuthRejected, NotSetUp, ServiceError
from integration.mautic import do_not_contact
from integration.mautic.answers import SERVICE
from integration.mautic.client import MauticClient
from integration.mautic.do_not_contact import CHANNEL, Barred
from integration.mautic.paging import number_of
from integration.mautic.search import email_of, entries

_TABLE = "stats/lead_donotcontact"
#: Rows of one call; a row has a hundred characters, a whole contact ten thousand.
ROWS, CONTACTS = 500, 100
_FORMAT = "%Y-%m-%d %H:%M:%S"
#: Versions that know the search dnc:email (mautic:415).
_SEARCHES_FROM = 6


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """An entry for e-mails: whose it is, since when (None if Mautic does not tell), and the address if it is told."""

    contact_id: int
    barred: Barred
    at: datetime | None = None
    email: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries; `last` is the id to go on behind, `more` whether anything may be there. Ids only go up, so it ends.

    With `searched` it came from the search, whose ids are those of contacts.
    """

    entries: Sequence[Unsubscribe]
    last: int
    more: bool
    searched: bool = False


class Refused(Exception):
    """Mautic tells this user neither by statistics nor by a search who is on Do Not Contact; `error` says why."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(error.code)
        self.error = error


def read(client: MauticClient, since: datetime | None, after: int = 0, *, searched: bool = False) -> Page:
    """Return the next entries for e-mails that were made or changed since a moment by Mautic's clock, None for all.

    `after` and `searched` are those of the page before. Raises ServiceError when Mautic fails, Refused when it does not
    let us know.
    """
    if searched and after:
        return _by_search(client, after)
    try:
        return _by_statistics(client, since, after)
    except (AuthRejected, NotSetUp) as error:
        if error.status != 403 and error.code != _NO_TABLE:
            raise
        if not _knows_search(client):
            raise Refused(error) from error
        return _by_search(client, 0)


_NO_TABLE = "no_statistics"


def _by_statistics(client: MauticClient, since: datetime | None, after: int) -> Page:
    value = client.get(_TABLE, _query(after, since))
    if not isinstance(value, dict) or "stats" not in value:
        # An unknown table, or one that is not for this user, is answered with the list of tables (mautic:329).
        hint = "Give the user's role the right to view contacts and reports."
        raise NotSetUp(SERVICE, _NO_TABLE, "Mautic does not show its table of Do Not Contact.", hint)
    rows = entries(value, "stats")
    fresh, last = _fresh(rows, after)
    found = [one for row in fresh if (one := _of_row(row)) is not None]
    return Page(found, last, bool(fresh) and len(rows) >= ROWS)


def _fresh(rows: Sequence[Mapping[str, Any]], after: int) -> tuple[list[Mapping[str, Any]], int]:
    """Return the rows behind an id, and the greatest id: what a cache or a plugin repeats brings nothing new."""
    fresh = [row for row in rows if number_of(row) > after]
    return fresh, max((number_of(row) for row in fresh), default=after)


def _query(after: int, since: datetime | None) -> dict[str, Any]:
    asked = {"limit": ROWS, "order[0][col]": "id", "order[0][dir]": "ASC", **_where(0, "id", "gt", after)}
    return asked if since is None else asked | _where(1, "date_added", "gte", since.astimezone(UTC).strftime(_FORMAT))


def _where(place: int, column: str, expression: str, value: object) -> dict[str, Any]:
    names = {"col": column, "expr": expression, "val": str(value)}
    return {f"where[{place}][{name}]": each for name, each in names.items()}


def _of_row(row: Mapping[str, Any]) -> Unsubscribe | None:
    contact_id = number_of({"id": row.get("lead_id")})
    reason = number_of({"id": row.get("reason")})
    if row.get("channel") != CHANNEL or not contact_id or not reason:
        return None
    return Unsubscribe(contact_id, Barred(reason, str(row.get("comments") or "")), _moment(row.get("date_added")))


def _moment(value: object) -> datetime | None:
    """Return a date of the statistics, which are in UTC (mautic:416)."""
    try:
        return datetime.strptime(str(value)[:19], _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _knows_search(client: MauticClient) -> bool:
    """Tell whether this Mautic has the search; an older one answers it with nobody."""
    if not client.version:
        client.get("contacts", {"limit": 1, "minimal": 1})
    major = client.version.partition(".")[0]
    return major.isdigit() and int(major) >= _SEARCHES_FROM


def _by_search(client: MauticClient, after: int) -> Page:
    """Return contacts that are on it: the search tells no dates, so it always goes through all."""
    query = {"search": f"dnc:{CHANNEL}", "limit": CONTACTS, "orderBy": "id", **_where(0, "id", "gt", after)}
    rows = entries(client.get("contacts", query), "contacts")
    fresh, last = _fresh(rows, after)
    found = ((row, do_not_contact.of_contact(row)) for row in fresh)
    barred = [Unsubscribe(number_of(row), there, None, email_of(row)) for row, there in found if there is not None]
    return Page(barred, last, bool(fresh) and len(rows) >= CONTACTS, searched=True)
