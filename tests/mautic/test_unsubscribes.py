"""Who is on Do Not Contact: read from statistics in pages that end, or by a search where those are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integration.mautic import do_not_contact, unsubscribes
from integration.mautic.client import MauticClient
from integration.mautic.do_not_contact import Barred
from integration.plans import DoNotContact
from tests.mautic.script import Script, canned

AT = datetime(2026, 11, 27, 23, 2, 33, tzinfo=UTC)
OURS = "No marketing consent at shop.example (woo-mautic)"


def read(client: MauticClient, moment: datetime | None = None) -> list[unsubscribes.Unsubscribe]:
    found, after, more = [], 0, True
    while more:
        page = unsubscribes.read(client, moment, after)
        found += page.entries
        assert page.last >= after
        after, more = page.last, page.more
    return found


def row(number: int, **values: str) -> dict[str, str]:
    usual = {"lead_id": str(number), "date_added": "2026-11-27 23:02:33", "reason": "1", "channel": "email"}
    return {"id": str(number), "comments": "", **usual, **values}


def test_rows_are_read_as_recorded(basic: MauticClient, script: Script) -> None:
    script.then(
        canned(
            {
                "total": "2",
                "stats": [
                    row(4, reason="9", lead_id="4"),
                    row(5, channel="sms"),
                    row(7, lead_id="6", reason="3", comments="by batch"),
                ],
            }
        ),
    )
    assert read(basic) == [
        unsubscribes.Unsubscribe(4, Barred(9), AT),
        unsubscribes.Unsubscribe(6, Barred(3, "by batch"), AT),
    ]


@pytest.mark.parametrize("rows", [[row(1)] * 500, [row(number) for number in range(1, 501)]])
def test_a_list_that_does_not_move_ends(basic: MauticClient, script: Script, rows: list[Any]) -> None:
    script.then(*[canned({"total": "9", "stats": rows})] * 3)
    found = read(basic)
    assert len({one.contact_id for one in found}) == len({each["id"] for each in rows})
    assert len(script.seen) == 2


def test_what_is_there_of_a_contact() -> None:
    ours = {"doNotContact": [{"channel": "email", "reason": 3, "comments": OURS}]}
    theirs = {"doNotContact": {"0": {"channel": "email", "reason": "1", "comments": "x"}}}
    nobody: dict[str, Any] = {"doNotContact": [{"channel": "sms", "reason": 1}, {"channel": "email", "reason": 0}]}
    assert do_not_contact.of_contact(theirs) == Barred(1, "x")
    assert do_not_contact.of_contact(nobody) is None
    assert do_not_contact.differs(DoNotContact(True, OURS), nobody) == [True, False]
    assert do_not_contact.differs(DoNotContact(True, OURS), theirs) is None
    assert do_not_contact.differs(DoNotContact(False, OURS), ours) == [False, True]
    assert do_not_contact.differs(DoNotContact(False, OURS), theirs) is None
    assert do_not_contact.differs(DoNotContact(True, OURS), {}) is None
    other = {"doNotContact": [{"channel": "email", "reason": 3, "comments": OURS.replace("shop", "other")}]}
    assert do_not_contact.differs(DoNotContact(False, OURS), other) is None
    unsubscribed_with_our_words = Barred(1, OURS)
    assert not unsubscribed_with_our_words.is_ours(OURS)


def test_rows_of_batches_say_it_as_recorded() -> None:
    assert do_not_contact.row(DoNotContact(True, OURS)) == [{"channel": "email", "reason": 3, "comments": OURS}]
    assert do_not_contact.row(DoNotContact(False, OURS)) == [{"channel": "email", "reason": 0}]
    assert do_not_contact.of_row([{"channel": "email", "reason": 0}]) == DoNotContact(False, "")
    assert do_not_contact.of_row(None) is None
