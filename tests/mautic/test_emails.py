from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integration.errors import Rejected, Throttled
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from integration.mautic.emails import Emails
from integration.sandbox.mautic import MauticServer, seed
from tests.mautic.script import Script, canned, page

ADA = {"id": 2, "fields": {"all": {"email": "ada@example.com"}}, "doNotContact": []}
MAIL = canned({"email": {"id": 1, "name": "Paid", "emailType": "template", "isPublished": True}})


@pytest.fixture
def emails(client: MauticClient, mautic: MauticServer) -> Emails:
    seed(mautic.state)
    return Emails(client)


@pytest.fixture
def ada(mautic: MauticServer, emails: Emails) -> int:
    contact = mautic.state.contact("ada@example.com")
    assert contact is not None
    return contact.id


def test_the_recorded_list_holds_templates_only(basic: MauticClient, script: Script) -> None:
    script.then("312", "312")
    assert [(each.id, each.name, each.published) for each in Emails(basic).list()] == [
        (4, "Draft", False),
        (2, "NoType", True),
        (1, "Order paid", True),
    ]
    assert [each.id for each in Emails(basic).list("list")] == [3]


def test_an_email_is_sent_with_its_tokens(emails: Emails, mautic: MauticServer, ada: int) -> None:
    sending = emails.send(1, ada, {"order_number": "1001", "{cart_url}": "https://shop.example.com"})
    assert sending.outcome == "sent"
    assert [(sent["email_id"], sent["contact_id"]) for sent in mautic.state.sent] == [(1, ada)]
    assert "order 1001" in mautic.state.sent[0]["html"]


def test_tokens_have_braces_once(basic: MauticClient, script: Script) -> None:
    script.then(MAIL, canned({"contact": ADA}), "313")
    Emails(basic).send(1, 2, {"a": "1", "{b}": "2"})
    assert script.seen[2].json == {"tokens": {"{a}": "1", "{b}": "2"}}


def test_who_does_not_want_mail_gets_none(emails: Emails, mautic: MauticServer, ada: int) -> None:
    emails.client.post(f"contacts/{ada}/dnc/email/add", {"reason": 1})
    assert emails.send(1, ada).outcome == "skipped_dnc"
    assert not mautic.state.sent


def test_do_not_contact_is_read_as_recorded(basic: MauticClient, script: Script) -> None:
    script.then(MAIL, "199")
    assert Emails(basic).send(1, 2).outcome == "skipped_dnc"


@pytest.mark.parametrize(
    ("entries", "outcome"),
    [
        ([{"channel": "email", "reason": 3}], "skipped_dnc"),
        ({"0": {"channel": "email", "reason": "2"}}, "skipped_dnc"),
        ([{"channel": "pigeon", "reason": 3}], "sent"),
        ([{"channel": "email", "reason": 0}], "sent"),
    ],
)
def test_only_refusals_of_mail_count(entries: object, outcome: str, basic: MauticClient, script: Script) -> None:
    script.then(MAIL, canned({"contact": {**ADA, "doNotContact": entries}}), "313")
    assert Emails(basic).send(1, 2).outcome == outcome


def test_an_unpublished_email_is_not_sent(emails: Emails, mautic: MauticServer, ada: int) -> None:
    emails.client.patch("emails/1/edit", {"isPublished": 0})
    assert emails.send(1, ada).outcome == "skipped_unpublished"
    assert not mautic.state.sent


def test_a_contact_without_address_is_skipped(basic: MauticClient, script: Script) -> None:
    script.then(MAIL, canned({"contact": {"id": 3, "fields": {"all": {"email": None}}}}))
    assert Emails(basic).send(1, 3).outcome == "skipped_no_address"


@pytest.mark.parametrize(("email_id", "offset", "code"), [(999, 0, "email_gone"), (1, 99999, "contact_gone")])
def test_what_is_gone_is_named(email_id: int, offset: int, code: str, emails: Emails, ada: int) -> None:
    with pytest.raises(Rejected) as told:
        emails.send(email_id, ada + offset)
    assert told.value.code == code


@pytest.mark.parametrize("failed", ["Connection to the mail server refused", []])
def test_success_false_is_told_with_its_reason(failed: object, basic: MauticClient, script: Script) -> None:
    script.then(MAIL, canned({"contact": ADA}), canned({"success": False, "failed": failed}))
    with pytest.raises(Rejected) as told:
        Emails(basic).send(1, 2)
    assert told.value.code == "not_sent"
    assert ("mail server refused" in told.value.sentence) is bool(failed)


def test_mautic_4_itself_refuses_who_does_not_want_mail(basic: MauticClient, script: Script) -> None:
    script.then(MAIL, canned({"contact": ADA}), canned({"success": False, "failed": []}))
    with pytest.raises(Rejected, match="do-not-contact"):
        Emails(basic).send(1, 2)


def test_an_email_is_read_once_for_many_contacts(emails: Emails, mautic: MauticServer, ada: int) -> None:
    for _ in range(3):
        emails.send(1, ada)
    assert mautic.calls.count("/api/emails/1", "GET") == 1 and len(mautic.state.sent) == 3


def test_what_was_sent_is_known_by_the_statistics(emails: Emails, ada: int) -> None:
    before = datetime.now(UTC)
    assert emails.was_sent(1, ada, before) is False
    emails.send(1, ada)
    assert emails.was_sent(1, ada, before) is True
    assert emails.was_sent(2, ada, before) is False
    assert emails.was_sent(1, ada + 1, before) is False
    assert emails.was_sent(1, ada, before + timedelta(minutes=5)) is False


def test_a_lost_answer_can_be_asked_about(emails: Emails, mautic: MauticServer, ada: int) -> None:
    before = datetime.now(UTC)
    mautic.faults.lose_answer(path=f"/api/emails/1/contact/{ada}/send", times=1)
    with pytest.raises(Exception, match="closed the connection"):
        emails.send(1, ada)
    assert emails.was_sent(1, ada, before) is True


SINCE = datetime(2026, 11, 20, 19, 55, 46, tzinfo=UTC)


@pytest.mark.parametrize(
    ("email_id", "since", "sent"),
    [(1, SINCE, True), (4, SINCE, True), (4, SINCE + timedelta(seconds=2), False), (9, SINCE, False)],
)
def test_the_timeline_stands_in_for_the_statistics(
    email_id: int, since: datetime, sent: bool, basic: MauticClient, script: Script
) -> None:
    script.then("328", "332")
    assert Emails(basic).was_sent(email_id, 2, since) is sent


def test_the_recorded_statistics_are_read(basic: MauticClient, script: Script) -> None:
    script.then("326", "326")
    assert Emails(basic).was_sent(1, 2, datetime(2026, 11, 20, 19, 55, 44, tzinfo=UTC)) is True
    assert Emails(basic).was_sent(1, 2, datetime(2026, 11, 20, 19, 55, 50, tzinfo=UTC)) is False


def test_without_either_it_cannot_be_told(basic: MauticClient, script: Script) -> None:
    script.then("349", page(500))
    assert Emails(basic).was_sent(1, 2, SINCE) is None
    script.then("359")
    with pytest.raises(Throttled):
        Emails(basic).was_sent(1, 2, SINCE)


def test_a_sending_that_failed_is_none(basic: MauticClient, script: Script) -> None:
    row = {"email_id": "1", "lead_id": "2", "date_sent": "2026-11-20 20:00:00", "is_failed": "1"}
    script.then(canned({"total": "1", "stats": [row]}))
    assert Emails(basic).was_sent(1, 2, SINCE) is False


def test_an_editor_may_list(mautic: MauticServer) -> None:
    seed(mautic.state)
    access = MauticAccess(mautic.url, "basic", mautic.credentials.editor, mautic.credentials.editor_password)
    assert len(Emails(MauticClient(access)).list()) == 3
