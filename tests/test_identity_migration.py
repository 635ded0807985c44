"""The keys of the first version: those whose address is kept are made anew by the migration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from integration.identity import first_version_key, person_key_of
from integration.models.database import open_database
from tests.migration_steps import OLD_CONNECTOR, OLD_ORGANISATION, steer

AT = "2026-01-01 10:00:00"
DELIVERY = """
INSERT INTO delivery (connector_id, kind, source_id, number, what, identity, subject, origin, priority, state, due_at,
    attempts, payload, payload_at, created_at, result, partial, error_code, error, category, discard_reason)
VALUES (1, :kind, :number, :number, 'completed', :number, :subject, 'webhook', 0, :state, :at,
    1, :payload, :at, :at, '', :no, '', '', '', '')
"""
LINK = """
INSERT INTO contact_link (connector_id, subject, contact_id, fields, written_at)
VALUES (1, :subject, :contact, :fields, :at)
"""
LEDGER = """
INSERT INTO order_ledger (connector_id, order_id, subject, status, net_total, refunded, currency, local_date)
VALUES (1, :number, :subject, 'completed', '19.00', :no, 'EUR', '')
"""
LOG = """
INSERT INTO sync_log (connector_id, at, type, object_id, action, status, message, source_id, subject)
VALUES (1, :at, 'order', '7', 'skip', 'success', '', '7', :subject)
"""
RECONCILIATION = """
INSERT INTO reconciliation (id, connector_id, trigger, state, cursor, checked, missing, doubled, differs, surplus,
    calls, created_at, error) VALUES (1, 1, 'test', 'COMPLETED', '{}', 0, 0, 0, 0, 0, 0, :at, '')
"""
MET = "INSERT INTO reconciled (reconciliation_id, subject) VALUES (1, :subject)"
DRIFT = """
INSERT INTO drift (reconciliation_id, connector_id, kind, subject, source_kind, source_id, detail, sentence, found_at)
VALUES (1, 1, 'missing', :subject, 'order', '7', '{}', '', :at)
"""
IDN, PLAIN_IDN = "max@bücher.example", "max@xn--bcher-kva.example"
OLD, NEW = first_version_key(IDN), person_key_of(IDN)


@pytest.fixture
def old(database_url: str) -> Iterator[Connection]:
    """A database of the first version with a shop."""
    database = open_database(database_url)
    with database.engine.connect() as connection:
        steer(connection, "upgrade", "0002")
        connection.execute(text(OLD_ORGANISATION))
        connection.execute(text(OLD_CONNECTOR), {"no": False})
        connection.execute(text(RECONCILIATION), {"at": AT})
        yield connection
    database.dispose()


def delivery(old: Connection, number: int, email: str, state: str = "ready", kind: str = "order") -> None:
    payload: dict[str, Any] = {"id": number, "billing": {"email": email}}
    if kind == "contact":
        payload = {"id": number, "email": email, "billing": {"email": "other@example.com"}}
    values = {"number": str(number), "subject": first_version_key(email), "state": state, "kind": kind}
    kept = json.dumps(payload) if state not in ("delivered", "skipped") else None
    old.execute(text(DELIVERY), values | {"payload": kept, "at": AT, "no": False})
    if kind == "order":
        old.execute(text(LEDGER), {"number": number, "subject": first_version_key(email), "no": False})


def link(old: Connection, subject: str, contact: int, at: str = AT, **fields: str) -> None:
    old.execute(text(LINK), {"subject": subject, "contact": contact, "fields": json.dumps(fields), "at": at})


def bystanders(old: Connection, *subjects: str) -> None:
    for subject in subjects:
        for statement in (LOG, MET, DRIFT):
            old.execute(text(statement), {"subject": subject, "at": AT})


def rows(old: Connection, table: str, columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in old.execute(text(f"SELECT {columns} FROM {table} ORDER BY {columns}")).all()]


def test_plain_addresses_keep_all_their_rows_as_they_are(old: Connection) -> None:
    for number, (email, state) in enumerate((("Ada@Example.com", "ready"), ("bob@x.example", "dead")), 1):
        delivery(old, number, email, state)
        link(old, person_key_of(email), number)
        bystanders(old, person_key_of(email))
    tables = ("delivery", "contact_link", "order_ledger", "sync_log", "reconciled", "drift")
    before = {table: rows(old, table, "subject") for table in tables}
    steer(old, "upgrade", "head")
    assert {table: rows(old, table, "person_key") for table in tables} == before


def test_who_is_known_by_a_kept_address_gets_the_key_of_today_everywhere(old: Connection) -> None:
    delivery(old, 7, IDN, "delivered")
    delivery(old, 8, IDN, "dead")
    delivery(old, 9, "ma\u200bx@example.com", "ready", "contact")
    link(old, OLD, 5)
    bystanders(old, OLD)
    steer(old, "upgrade", "head")
    assert rows(old, "delivery", "source_id, person_key") == [
        ("7", NEW),
        ("8", NEW),
        ("9", person_key_of("max@example.com")),
    ]
    assert rows(old, "contact_link", "person_key, contact_id") == [(NEW, 5)]
    for table in ("order_ledger", "sync_log", "reconciled", "drift"):
        assert {subject for (subject,) in rows(old, table, "person_key")} == {NEW}


def test_two_spellings_of_one_mailbox_become_one_person(old: Connection) -> None:
    delivery(old, 1, IDN, "ready")
    delivery(old, 2, PLAIN_IDN, "ready")
    link(old, OLD, 5, "2026-01-02 10:00:00", a="1", b="1")
    link(old, NEW, 5, "2026-01-01 10:00:00", b="0", c="0")
    bystanders(old, OLD, NEW)
    steer(old, "upgrade", "head")
    assert rows(old, "delivery", "source_id, person_key, state") == [("1", NEW, "waiting"), ("2", NEW, "ready")]
    ((subject, contact, fields),) = old.execute(text("SELECT person_key, contact_id, fields FROM contact_link")).all()
    fields = fields if isinstance(fields, dict) else json.loads(fields)
    assert (subject, contact, fields) == (NEW, 5, {"a": "1", "b": "1", "c": "0"})
    assert rows(old, "order_ledger", "order_id, person_key") == [(1, NEW), (2, NEW)]
    assert (rows(old, "reconciled", "person_key"), rows(old, "drift", "person_key")) == ([(NEW,)], [(NEW,)])


def test_of_two_contacts_of_one_mailbox_the_last_written_stays(old: Connection) -> None:
    delivery(old, 1, IDN, "dead")
    link(old, OLD, 5, "2026-01-01 10:00:00", a="1")
    link(old, NEW, 6, "2026-01-02 10:00:00", b="1")
    steer(old, "upgrade", "head")
    assert rows(old, "contact_link", "person_key, contact_id") == [(NEW, 6)]


def test_what_is_under_way_under_both_keys_is_left_in_peace(old: Connection) -> None:
    delivery(old, 1, IDN, "leased")
    delivery(old, 2, IDN, "waiting")
    delivery(old, 3, PLAIN_IDN, "ready")
    steer(old, "upgrade", "head")
    kept = rows(old, "delivery", "source_id, person_key, state")
    assert kept == [("1", OLD, "leased"), ("2", NEW, "waiting"), ("3", NEW, "ready")]


def test_two_mailboxes_that_had_one_key_are_parted_again(old: Connection) -> None:
    sharp, double = "a@faß.example", "a@fass.example"
    delivery(old, 1, sharp, "ready")
    delivery(old, 2, double, "waiting")
    delivery(old, 3, sharp, "dead")
    link(old, person_key_of(double), 5)
    steer(old, "upgrade", "head")
    assert rows(old, "delivery", "source_id, person_key, state") == [
        ("1", person_key_of(sharp), "ready"),
        ("2", person_key_of(double), "ready"),
        ("3", person_key_of(sharp), "dead"),
    ]
    assert rows(old, "contact_link", "person_key, contact_id") == [(person_key_of(double), 5)]
    assert {subject for number, subject in rows(old, "order_ledger", "order_id, person_key") if number != 2} == {
        person_key_of(sharp)
    }


def test_a_corrected_address_counts_before_the_stores(old: Connection) -> None:
    delivery(old, 1, "wrong@example", "dead")
    values = {"subject": OLD, "corrections": json.dumps({"billing.email": IDN})}
    old.execute(text("UPDATE delivery SET subject = :subject, corrections = :corrections"), values)
    steer(old, "upgrade", "head")
    assert rows(old, "delivery", "person_key") == [(NEW,)]
