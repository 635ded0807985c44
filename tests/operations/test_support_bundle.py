"""The support bundle: everything that helps, no secret, no person."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from integration.clock import SetClock
from integration.config import Deployment
from integration.identity import person_key_of
from integration.models import Connector, Delivery, Heartbeat, Hold, Organisation, Run, Vault
from integration.models.database import Database
from integration.operations.support import support_bundle
from integration.operations.support.anonymous import Cleaner
from integration.operations.support.application_log import configure_logging
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.conftest import NOON

EMAIL = "ada.lovelace+shop@example.com"
SECRETS = {
    "store_key": "ck_0123456789abcdef0123",
    "store_secret": "cs_fedcba98765432100123",
    "mautic_password": "pass word with ünicode",
    "mautic_client_secret": "client-secret-of-mautic",
}
TOKEN = {"access_token": "tok-access-1234", "expires_at": NOON.isoformat(), "refresh_token": "tok-refresh-1234"}
#: What must be nowhere: each of these is planted in every text that there is.
FORBIDDEN = (*SECRETS.values(), TOKEN["access_token"], TOKEN["refresh_token"], EMAIL, "webhook-secret-99")
POISON = " ".join([*FORBIDDEN, "Bearer abcdef123456", "https://ada:hunter22@shop.test/"])


@pytest.fixture
def services(db: Database, deployment: Deployment) -> Services:
    return open_services(deployment, database=db, clock=SetClock(NOON))


@pytest.fixture
def connector_id(services: Services) -> int:
    return connectors.create(
        services,
        organisation_id=1,
        name=f"Shop of {EMAIL}",
        store_url="https://shop.example.com",
        mautic_url="https://mautic.example.com",
        mautic_method="basic",
        mautic_user=EMAIL,
        mautic_client_id="1_clientid99",
        **SECRETS,
    )


def bundle_of(services: Services, connector_id: int, **options: Any) -> dict[str, Any]:
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
    return support_bundle.build(services, connector, **options)


def dead(connector_id: int, number: int, **values: Any) -> Delivery:
    given = {
        "kind": "order",
        "source_id": str(number),
        "event": "completed",
        "identity": f"order:{number}",
        "person_key": person_key_of(EMAIL),
        "origin": "webhook",
        "state": "dead",
        "payload": {"billing": {"email": EMAIL, "first_name": "Lovelace"}},
        "error_code": "refused",
        "error": "It was refused.",
        "category": "record",
        **values,
    }
    times = dict.fromkeys(("due_at", "payload_at", "created_at", "settled_at", "died_at"), NOON)
    return Delivery(connector_id=connector_id, **times, **given)


def run_of(connector_id: int, number: int, **values: Any) -> Run:
    given = {"kind": "bulk", "state": "COMPLETED", "created_at": NOON, **values}
    return Run(connector_id=connector_id, correlation_id=str(number), **given)


def plant(services: Services, connector_id: int) -> None:
    """Put secrets and addresses wherever there is room for a text."""
    hold = Hold(service="mautic", code="x", sentence=POISON, hint=POISON, since=NOON, probe_at=NOON)
    hold.connector_id = connector_id
    with services.db.write() as session:
        session.add(dead(connector_id, 1, error=f"Mautic refused “Lovelace”. {POISON}", error_code="refused"))
        session.add(run_of(connector_id, 1, trigger=EMAIL, error=POISON, options={POISON: [POISON, EMAIL]}))
        session.add(hold)
        session.add(Heartbeat(name=f"worker@{EMAIL}", role="worker", beat_at=NOON))
        values = {
            "store_facts": {"name": POISON, "version": "10.9.4", EMAIL: EMAIL},
            "mautic_facts": {"version": "7.0.1", "who": POISON},
            "cursors": {"orders": {"after": POISON}},
            "fields": [{"alias": "firstname", "label": "First Name", "type": "text", "limit": 64, "published": True}],
            "mautic_token": Vault("k" * 32).seal(TOKEN),
            "secrets": Vault("k" * 32).seal({**SECRETS, "webhook_secret": "webhook-secret-99"}),
        }
        session.execute(update(Connector).where(Connector.id == connector_id).values(values))
    connectors.configure(services, connector_id, {"orders.general_tags": f"vip,{EMAIL}"})
    handler = configure_logging(services.deployment.model_copy(update={"log_level": "INFO"}))
    try:
        log = logging.getLogger("integration.test")
        log.error("%s said “Lovelace” [parameters: ('Lovelace',)]", POISON, extra={"connector": connector_id})
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def test_no_secret_and_no_address_is_in_it(services: Services, connector_id: int) -> None:
    plant(services, connector_id)
    text = support_bundle.as_json(bundle_of(services, connector_id, whole=True))
    for forbidden in (*FORBIDDEN, "Lovelace", "hunter22", "abcdef123456", "k" * 32, "1_clientid99"):
        assert forbidden.casefold() not in text.casefold()
    with services.db.read() as session:
        assert session.get_one(Connector, connector_id).webhook_path not in text
    assert f"person:{person_key_of(EMAIL)}" in text
    assert json.loads(text)["log"]


def test_what_helps_is_in_it(services: Services, connector_id: int) -> None:
    plant(services, connector_id)
    bundle = bundle_of(services, connector_id)
    assert bundle["application"]["version"] and bundle["application"]["libraries"]["sqlalchemy"]
    assert bundle["database"]["kind"] == services.db.engine.dialect.name and bundle["database"]["version"]
    assert bundle["deployment"]["engine"] == "embedded"
    assert (bundle["store"]["version"], bundle["mautic"]["version"]) == ("10.9.4", "7.0.1")
    assert bundle["mautic"]["fields"] == [{"alias": "firstname", "type": "text", "limit": 64, "published": True}]
    assert bundle["modules"]["orders"]["general_tags"][0] == "vip"
    assert {row["job"] for row in bundle["schedule"]}
    assert bundle["heartbeats"] == [{"role": "worker", "beat_at": NOON.isoformat()}]
    assert bundle["deliveries"] == {"waiting": 0, "ready": 0, "leased": 0, "dead": 1}
    assert [hold["code"] for hold in bundle["holds"]] == ["x"]
    assert bundle["sizes"]["rows"] and bundle["sizes"]["bytes"]["database"] > 0


def test_a_failure_has_code_source_and_sentence_but_no_value_of_the_record(
    services: Services, connector_id: int
) -> None:
    plant(services, connector_id)
    [failure] = bundle_of(services, connector_id)["failures"]
    assert (failure["error_code"], failure["source_id"], failure["category"]) == ("refused", "1", "record")
    assert failure["sentence"].startswith("Mautic refused “…”.")
    assert failure["person_key"] == person_key_of(EMAIL)
    assert "payload" not in failure


def test_the_newest_fifty_failures_and_twenty_runs(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        session.add_all([dead(connector_id, number) for number in range(60)])
        session.add_all([run_of(connector_id, number) for number in range(30)])
    bundle = bundle_of(services, connector_id)
    assert [row["source_id"] for row in bundle["failures"]] == [str(number) for number in range(59, 9, -1)]
    assert len(bundle["runs"]) == 20 and bundle["runs"][0]["correlation_id"] == "29"


def test_other_connectors_and_closed_holds_are_not_in_it(services: Services, connector_id: int) -> None:
    other = connectors.create(services, organisation_id=1, name="Other")
    closed = Hold(service="store", code="old", sentence="Old.", since=NOON, probe_at=NOON, released_at=NOON)
    closed.connector_id = connector_id
    with services.db.write() as session:
        session.add_all([dead(other, 7), run_of(other, 7), closed])
    bundle = bundle_of(services, connector_id)
    assert (bundle["failures"], bundle["runs"], bundle["holds"]) == ([], [], [])


def test_beside_other_organisations_only_the_connectors_own_lines_are_told(
    services: Services, connector_id: int
) -> None:
    with services.db.write() as session:
        session.add(Organisation(name="Other Ltd", created_at=NOON))
    handler = configure_logging(services.deployment)
    try:
        log = logging.getLogger("integration.test")
        log.warning("Ours.", extra={"connector": connector_id})
        log.warning("Theirs.", extra={"connector": connector_id + 1})
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    bundle = bundle_of(services, connector_id)
    assert [line["sentence"] for line in bundle["log"]] == ["Ours."]
    assert "bytes" not in bundle["sizes"]
    assert len(bundle_of(services, connector_id, whole=True)["log"]) == 2


def test_it_is_made_with_another_secret_key_too(services: Services, connector_id: int, db: Database) -> None:
    changed = services.deployment.model_copy(update={"secret_key": "z" * 32})
    moved = open_services(changed, database=db, clock=SetClock(NOON))
    assert bundle_of(moved, connector_id)["connector"]["id"] == connector_id


def test_the_file_is_named_after_connector_and_time() -> None:
    assert support_bundle.file_name(3, NOON + timedelta(minutes=5)) == "support-bundle-3-20261120-1205.json"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("to ada@example.com.", f"to person:{person_key_of('ada@example.com')}."),
        ("?email=Ada%40Example.com&x=1", f"?email=person:{person_key_of('ada@example.com')}&x=1"),
        ("<ada@exämple.de>", f"<person:{person_key_of('ada@exämple.de')}>"),
        ("ada@localhost", f"person:{person_key_of('ada@localhost')}"),
        ("a secret: 1234, twice 1234", "a secret: ***, twice ***"),
        ("at 12 @ 3", "at 12 @ 3"),
        ("https://ada:pw@shop.test/x", "https://***@shop.test/x"),
    ],
)
def test_cleaning(text: str, cleaned: str) -> None:
    assert Cleaner(["1234", "ab"]).text(text) == cleaned


def test_quotations_of_records_go_and_names_of_fields_stay() -> None:
    cleaner = Cleaner([], ["City", ""])
    assert cleaner.unquoted("“Rome” is not in Mautic's list for “City”.") == "“…” is not in Mautic's list for “City”."
    assert cleaner.unquoted('It said "Rome".') == 'It said "…".'


def test_what_a_database_says_of_values_is_left_out_of_the_log() -> None:
    line = {"trace": "Error: x\nDETAIL:  Key (name)=(Ada) exists.\n[SQL: …]\n[parameters: ('Ada', 1)]\nend", "n": 1}
    cleaned = Cleaner([]).log_line(line)
    assert "Ada" not in cleaned["trace"] and cleaned["trace"].endswith("end")
    assert cleaned["n"] == 1
