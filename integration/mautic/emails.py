"""Template e-mails: which there are, sending one to a contact, and whether it was sent.

Sending ignores do-not-contact and works for unpublished e-mails (mautic:318, mautic:321), so both are looked at
before; it is not idempotent, so a caller that does not know whether a call arrived asks `was_sent` (dossier 4.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from integration.errors import AuthRejected, Rejected, ServerFault
from integration.mautic import reading
from integration.mautic.answers import SERVICE
from integration.mautic.client import MauticClient
from integration.mautic.paging import every, number_of
from integration.mautic.search import email_of, entries

#: Mautic cuts times to seconds, and its answers' Date is as coarse.
COARSE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail of Mautic; `type` is template or list."""

    id: int
    name: str
    subject: str
    type: str
    published: bool


@dataclass(frozen=True, slots=True)
class Sending:
    """What came of one sending; "sent" means that Mautic took it, not that it was delivered."""

    outcome: Literal["sent", "skipped_dnc", "skipped_unpublished", "skipped_no_address"]
    sentence: str


class Emails:
    """Lists and sends e-mails; each e-mail, and each contact, is read at most once in the life of this object.

    `contacts` are contacts by id as Mautic has just shown them; those that tell of do-not-contact need no look.
    """

    def __init__(self, client: MauticClient, contacts: Mapping[int, Mapping[str, Any]] | None = None) -> None:
        self.client = client
        self._read: dict[int, Email] = {}
        shown = (contacts or {}).items()
        self._obstacles = {number: _obstacle(contact) for number, contact in shown if "doNotContact" in contact}

    def list(self, kind: str = "template") -> tuple[Email, ...]:
        """Return the e-mails of one type by name (mautic:312)."""
        found = [_email(entity) for entity in every(self.client, "emails", "emails")]
        return tuple(sorted((email for email in found if email.type == kind), key=lambda email: email.name.casefold()))

    def look_up(self, contact_ids: Iterable[int]) -> None:
        """Read which of these contacts may be sent e-mails, a hundred a call, so that each needs no look of its own.

        A search by ids shows do-not-contact as a contact's own page does (mautic:159). One that does not tell it is
        looked at when it is its turn. Raises ServiceError.
        """
        unknown = set(contact_ids) - self._obstacles.keys()
        if len(unknown) > 1:
            shown = reading.by_ids(self.client, unknown).items()
            self._obstacles |= {number: _obstacle(one) for number, one in shown if "doNotContact" in one}

    def holds(self, email_id: int, token: str) -> bool:
        """Tell whether a token (without braces) stands in the e-mail's text or HTML (mautic:324).

        Raises Rejected (email_gone).
        """
        email = self._entity(f"emails/{email_id}", "email", "email_gone", f"Mautic has no e-mail {email_id}.")
        return any(_braced(token) in str(email.get(part) or "") for part in ("customHtml", "plainText"))

    def send(self, email_id: int, contact_id: int, tokens: Mapping[str, str] | None = None) -> Sending:
        """Send the e-mail to the contact with `tokens` (name -> text, braces or not) and return what came of it.

        Raises Rejected (email_gone, contact_gone, not_sent); after Unreachable or ServerFault it may have been sent.
        """
        email = self._email(email_id)
        if not email.published:
            return Sending("skipped_unpublished", f"The e-mail {email.name} is not published in Mautic.")
        skipped = self._not_to_be_sent(contact_id)
        if skipped is not None:
            return skipped
        body = {"tokens": {_braced(name): text for name, text in (tokens or {}).items()}}
        value = self.client.post(f"emails/{email_id}/contact/{contact_id}/send", body)
        if not (isinstance(value, dict) and value.get("success")):
            raise _not_sent(email, value)
        return Sending("sent", f"Mautic sent the e-mail {email.name}.")

    def _email(self, email_id: int) -> Email:
        if email_id not in self._read:
            value = self._entity(f"emails/{email_id}", "email", "email_gone", f"Mautic has no e-mail {email_id}.")
            self._read[email_id] = _email(value)
        return self._read[email_id]

    def _not_to_be_sent(self, contact_id: int) -> Sending | None:
        """Look at the contact: no address makes Mautic answer 500 (mautic:322), do-not-contact is ignored there
        (mautic:321).
        """
        if contact_id not in self._obstacles:
            sentence = "The contact is no longer in Mautic."
            contact = self._entity(f"contacts/{contact_id}", "contact", "contact_gone", sentence)
            self._obstacles[contact_id] = _obstacle(contact)
        return self._obstacles[contact_id]

    def _entity(self, path: str, noun: str, code: str, sentence: str) -> dict[str, Any]:
        try:
            value = self.client.get(path)
        except Rejected as error:
            if error.status != 404:
                raise
            raise Rejected(SERVICE, code, sentence, "Choose another in the settings.", status=404) from error
        entity = value.get(noun) if isinstance(value, dict) else None
        return entity if isinstance(entity, dict) else {}

    def was_sent(self, email_id: int, contact_id: int, since: datetime) -> bool | None:
        """Tell whether Mautic sent the e-mail to the contact at or after `since` (our clock); None if unknown."""
        for look in (self._sent_by_stats, self._sent_by_activity):
            try:
                sent = look(email_id, contact_id)
            except (AuthRejected, Rejected, ServerFault):
                continue
            if sent is not None:
                earliest = self.client.theirs(since) - COARSE
                return any(moment >= earliest for moment in sent)
        return None

    def _sent_by_stats(self, email_id: int, contact_id: int) -> Iterator[datetime] | None:
        """Return when it was sent by the table email_stats (mautic:326, mautic:327); an error stands in a 200
        (mautic:328).
        """
        value = self.client.get("stats/email_stats", _where({"lead_id": contact_id, "email_id": email_id}))
        if not isinstance(value, dict) or "stats" not in value:
            return None
        rows = [row for row in entries(value, "stats") if number_in(row, "lead_id") == contact_id]
        return _moments(row.get("date_sent") for row in rows if _went_out(row, email_id, "is_failed"))

    def _sent_by_activity(self, email_id: int, contact_id: int) -> Iterator[datetime] | None:
        """Return when it was sent by the contact's timeline (mautic:332)."""
        params = {"filters[includeEvents][]": "email.sent", "limit": 100}
        value = self.client.get(f"contacts/{contact_id}/activity", params)
        if not isinstance(value, dict) or "events" not in value:
            return None
        stats = [_stat(event) for event in entries(value, "events") if event.get("event") == "email.sent"]
        return _moments(stat.get("dateSent") for stat in stats if _went_out(stat, email_id, "isFailed"))


def _obstacle(contact: Mapping[str, Any]) -> Sending | None:
    if not email_of(contact):
        return Sending("skipped_no_address", "The contact has no e-mail address in Mautic.")
    if any(refused(entry) for entry in entries(contact, "doNotContact")):
        return Sending("skipped_dnc", "The contact does not want e-mails (do not contact).")
    return None


def _email(entity: Mapping[str, Any]) -> Email:
    return Email(
        number_of(entity),
        str(entity.get("name") or ""),
        str(entity.get("subject") or ""),
        str(entity.get("emailType") or ""),
        bool(entity.get("isPublished")),
    )


def refused(entry: Mapping[str, Any]) -> bool:
    """Tell whether a doNotContact entry is about e-mail; reason 0 means contactable (mautic:199, mautic:204)."""
    return entry.get("channel") == "email" and str(entry.get("reason", "1")) != "0"


def _braced(name: str) -> str:
    return "{" + name.strip("{}") + "}"


def _not_sent(email: Email, value: object) -> Rejected:
    failed = value.get("failed") if isinstance(value, dict) else None
    said = f": {failed}" if isinstance(failed, str) and failed else ""
    hint = "Look at the contact's do-not-contact state and at Mautic's e-mail settings."
    return Rejected(SERVICE, "not_sent", f"Mautic did not send the e-mail {email.name}{said}.", hint, status=200)


def _where(columns: Mapping[str, int]) -> dict[str, Any]:
    params: dict[str, Any] = {"limit": 100, "order[0][col]": "id", "order[0][dir]": "desc"}
    for place, (column, value) in enumerate(columns.items()):
        params |= {f"where[{place}][col]": column, f"where[{place}][expr]": "eq", f"where[{place}][val]": value}
    return params


def number_in(row: Mapping[str, Any], key: str) -> int:
    """Return a number that may be text, 0 for anything else (mautic:326)."""
    value = row.get(key)
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0


def _went_out(row: Mapping[str, Any], email_id: int, failed: str) -> bool:
    return number_in(row, "email_id") == email_id and str(row.get(failed) or "0") in ("0", "False")


def _stat(event: Mapping[str, Any]) -> Mapping[str, Any]:
    details = event.get("details")
    stat = details.get("stat") if isinstance(details, dict) else None
    return stat if isinstance(stat, dict) else {}


def _moments(values: Iterator[object]) -> Iterator[datetime]:
    """Yield the times that can be read; "2026-11-20 19:55:42" is UTC (mautic:326)."""
    for value in values:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            continue
        yield moment if moment.tzinfo else moment.replace(tzinfo=UTC)
