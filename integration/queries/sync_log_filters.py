"""A validated request for one page of the sync log, as its URL says it (P86, P88)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from integration import streams
from integration.events import Kind
from integration.models.sync_log import SyncLogEntry
from integration.pipeline.sync_log.writing import SUCCESS
from integration.url_filters import Day, OneOf, PageNumber, Text, UrlFilter, WholeNumber, begin_of, end_of

TYPES = {kind.value: streams.labels(kind).entity for kind in Kind}
#: The action of what was left as it is, and the status that the page gives it.
SKIP, SKIPPED = "skip", "skipped"
STATUSES = {SUCCESS: "Success", SKIPPED: "Skipped", "error": "Error"}
_KINDS = {SUCCESS: "ok", SKIPPED: "muted", "error": "bad"}
ACTIONS = {
    "create_or_update": "Create or update",
    "create_note": "Create note",
    "send_email": "Send e-mail",
    "add_to_segment": "Add to segment",
    "remove_from_segment": "Remove from segment",
    "delete_contact": "Delete contact",
    "do_not_contact": "Do Not Contact",
    "allow_contact": "Allow contact",
    "unsubscribed": "Unsubscribed",
    "bounced": "Bounced",
    "write_back": "Write into the store",
    "cart_sync": "Cart sync",
    "cart_recovery": "Cart recovery",
    "cart_removal": "Cart taken back",
    SKIP: "Skip",
    "create_field": "Create field",
    "remove_tag": "Remove tag",
    "create_coupon": "Create coupon",
    "delete_coupon": "Delete coupon",
    "verify": "Read back",
}
ROWS_MIN, ROWS_DEFAULT, ROWS_MAX = 10, 25, 100
#: Rows of a page that can be chosen.
SIZES = (10, 25, 50, 100)


def badge(entry: SyncLogEntry) -> tuple[str, str]:
    """Return the status of an entry in words and the colour of its badge."""
    status = SKIPPED if (entry.action, entry.status) == (SKIP, SUCCESS) else entry.status
    return STATUSES.get(status, status), _KINDS.get(status, "muted")


class LogQuery(UrlFilter):
    """A page of the sync log; dates are whole days of the site's zone, `until` is included."""

    connector_id: int
    type: Annotated[str, OneOf(TYPES)] = ""
    status: Annotated[str, OneOf(STATUSES)] = ""
    action: Annotated[str, OneOf(ACTIONS)] = ""
    object: Text = ""
    contact: Text = ""
    text: Text = ""
    since: Day = None
    until: Day = None
    size: Annotated[int, WholeNumber(ROWS_MIN, ROWS_MAX)] = ROWS_DEFAULT
    page: PageNumber = 1
    zone: str = "UTC"

    @classmethod
    def parse(cls, connector_id: int, args: Mapping[str, Any], zone: str = "UTC") -> tuple[LogQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, zone, connector_id=connector_id)

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("size", "page")

    @property
    def begin(self) -> datetime | None:
        """Return the first moment that counts."""
        return begin_of(self.since, self.zone)

    @property
    def end(self) -> datetime | None:
        """Return the moment behind the last one that counts."""
        return end_of(self.until, self.zone)
