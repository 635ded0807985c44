"""Who is on Mautic's Do Not Contact since a moment: from its statistics, or by a search where those are refused.

The statistics have one row an entry (mautic:331, mautic:416). An entry keeps its id when its reason changes, so that an
id alone does not tell what is new (mautic:195): rows are asked for by their date and gone through by their id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integration.errors import AuthRejected, NotSetUp, ServerFault, ServiceError
from integration.mautic import do_not_contact
from integration.mautic.answers import SERVICE
from integration.mautic.client import MauticClient
from integration.mautic.do_not_contact import CHANNEL, Barred
from integration.mautic.paging import LIST_MAX_PAGES, number_of
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


class Refused(Exception):
    """Mautic tells this user neither by statistics nor by a search who is on Do Not Contact; `error` says why."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(error.code)
        self.error = error


def since(client: MauticClient, moment: datetime | None) -> Iterator[Sequence[Unsubscribe]]:
    """Yield the entries for e-mails that were made or changed since a moment by Mautic's clock, None for all, in pages.

    Raises ServiceError when Mautic fails or its list does not end, Refused when it does not let us know.
    """
    try:
        yield from _by_statistics(client, moment)
    except (AuthRejected, NotSetUp) as error:
        if error.status != 403 and error.code != _NO_TABLE:
            raise
        if not _knows_search(client):
            raise Refused(error) from error
        yield from _by_search(client)


_NO_TABLE = "no_statistics"


def _by_statistics(client: MauticClient, moment: datetime | None) -> Iterator[Sequence[Unsubscribe]]:
    last = 0
    for _ in range(LIST_MAX_PAGES):
        value = client.get(_TABLE, _query(last, moment))
        if not isinstance(value, dict) or "stats" not in value:
            # An unknown table, or one that is not for this user, is answered with the list of tables (mautic:329).
            hint = "Give the user's role the right to view contacts and reports."
            raise NotSetUp(SERVICE, _NO_TABLE, "Mautic does not show its table of Do Not Contact.", hint)
        rows = entries(value, "stats")
        fresh = [row for row in rows if number_of(row) > last]
        yield [one for row in fresh if (one := _of_row(row)) is not None]
        last = max((number_of(row) for row in fresh), default=last)
        if len(rows) < ROWS or not fresh:
            return
    raise _endless()


def _query(last: int, moment: datetime | None) -> dict[str, Any]:
    asked = {"limit": ROWS, "order[0][col]": "id", "order[0][dir]": "ASC", **_where(0, "id", "gt", last)}
    return asked if moment is None else asked | _where(1, "date_added", "gte", moment.astimezone(UTC).strftime(_FORMAT))


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


def _by_search(client: MauticClient) -> Iterator[Sequence[Unsubscribe]]:
    """Yield all contacts that are on it: the search tells no dates, and from an id on it is asked by where[]."""
    last = 0
    for _ in range(LIST_MAX_PAGES):
        query = {"search": f"dnc:{CHANNEL}", "limit": CONTACTS, "orderBy": "id", **_where(0, "id", "gt", last)}
        rows = entries(client.get("contacts", query), "contacts")
        fresh = [row for row in rows if number_of(row) > last]
        found = ((row, do_not_contact.of_contact(row)) for row in fresh)
        yield [Unsubscribe(number_of(row), barred, None, email_of(row)) for row, barred in found if barred is not None]
        last = max((number_of(row) for row in fresh), default=last)
        if len(rows) < CONTACTS or not fresh:
            return
    raise _endless()


def _endless() -> ServerFault:
    hint = "Look for a cache or a plugin that changes Mautic's answers."
    return ServerFault(SERVICE, "endless", f"A list of Mautic did not end after {LIST_MAX_PAGES:,} pages.", hint)
