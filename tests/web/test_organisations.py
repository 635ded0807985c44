"""No page, API call, export or search of one organisation ever shows or changes a row of another.

Every route is walked. One with a parameter that this table does not know fails the test: it has to be thought of.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from integration.clock import SetClock
from integration.errors import Unreachable
from integration.models import (
    Alert,
    AlertGroup,
    ApiToken,
    AuditAction,
    AuditEntry,
    Base,
    Cart,
    Connector,
    Delivery,
    Drift,
    Erasure,
    Gap,
    Invitation,
    PayloadFile,
    Reconciliation,
    Run,
    RunLine,
    Subscription,
    SyncLogEntry,
    User,
)
from integration.operations import audit
from integration.operations.identity import members, tokens
from integration.pipeline.connectors import connectors, holds
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log_writing
from tests.web.conftest import Person, Settle

#: A word that stands in every text of the first organisation's rows.
MARK = "quagmire"


@pytest.fixture
def owned(services: Services, connector_id: int, record: Settle, clock: SetClock) -> dict[str, Any]:
    """Fill the first organisation with rows of every kind; return what the parameters of routes are called."""
    now = clock.now()
    connectors.connect(services, connector_id, name=f"Shop {MARK}")
    delivery_id = record(4711, "dead", error_code="refused", message=f"No {MARK}.", category="permanent")
    run_id = run_lifecycle.start(services, connector_id, "full", trigger=f"{MARK}@example.com")
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
        person_key = session.get_one(Delivery, delivery_id).person_key
    file_id = payload_files.store(services, run, "pull", f"Page {MARK}", [MARK])
    token = tokens.make(services, 1, f"Token {MARK}", ["logs"], f"{MARK}@example.com")
    members.invite(services, 1, f"{MARK}@example.com", "viewer", _super(), f"{MARK}@example.com")
    with services.db.write() as session:
        return _rows(session, now, connector_id) | {
            "connector_id": connector_id,
            "delivery_id": delivery_id,
            "run_id": run_id,
            "file_id": file_id,
            "token_id": token.id,
            "user_id": 1,
            "person_key": person_key,
            "source_id": "4711",
            "form": "csv",
            "filename": "icon.svg",
            "token": "unknown",
            "webhook_path": "unknown",
            "key": "unknown",
            "organisation_id": 1,
            "invitation_id": 1,
        }


def _super() -> Any:
    from integration.models import Role

    return Role.SUPER


def _rows(session: Session, now: datetime, connector_id: int) -> dict[str, Any]:
    for user in session.scalars(select(User).where(User.organisation_id == 1)):
        user.name = MARK
    holds.hold(session, now, connector_id, Unreachable("mautic", "refused", f"It refused {MARK}.", MARK))
    entry = sync_log_writing.Entry(connector_id, now, "order", "4711", "create_note", message=f"Said {MARK}.")
    sync_log_writing.record(session, [entry])
    run_lifecycle.add_line(session, now, 1, f"Line {MARK}.")
    audit.record(
        session,
        clock_now=now,
        organisation_id=1,
        connector_id=connector_id,
        actor=f"{MARK}@example.com",
        action=AuditAction.UPDATED,
        entity=f"connector {MARK}",
    )
    group = AlertGroup(organisation_id=1, name=f"Group {MARK}", emails=[f"{MARK}@example.com"], created_at=now)
    alert = Alert(connector_id=connector_id, cause="dead_letters", sentence=f"Alert {MARK}.", since=now)
    compared = Reconciliation(connector_id=connector_id, trigger=MARK, state="COMPLETED", created_at=now, ended_at=now)
    gap = Gap(connector_id=connector_id, cause="missing", sentence=f"Gap {MARK}.", noticed_at=now)
    session.add_all([group, alert, compared, gap])
    session.flush()
    drift = Drift(
        reconciliation_id=compared.id,
        connector_id=connector_id,
        kind="differs",
        person_key="s",
        sentence=f"Drift {MARK}.",
        found_at=now,
    )
    person: dict[str, Any] = {"connector_id": connector_id, "email": f"{MARK}@example.com", "created_at": now}
    cart = Cart(**person, key=MARK, source="script", changed_at=now, seen_at=now)
    subscription = Subscription(**person, state="sent", person_key="s", consent_text=MARK, source="page")
    session.add_all([drift, cart, subscription])
    session.flush()
    numbers = {
        "cart_id": cart.id,
        "code": "nobody",
        "subscription_id": subscription.id,
        "alert_id": alert.id,
        "group_id": group.id,
        "alert_group_id": group.id,
        "gap_id": gap.id,
    }
    erasing = {"receipt": f"receipt-{MARK}"[:36], "address_hash": MARK, "in_mautic": "keep", "asked_by": MARK}
    session.add(Erasure(organisation_id=1, asked_at=now, due_at=now, remains=[MARK], **erasing))
    session.flush()
    numbers |= {"receipt": erasing["receipt"], "erasure_id": 1}
    numbers["page"], numbers["side"] = "orders", "store"
    return numbers | {"reconciliation_id": compared.id, "number": compared.id, "drift_id": drift.id}


def address(app: Flask, rule: Rule, owned: dict[str, Any]) -> str:
    """The address of a rule with the first organisation's ids; an unknown parameter fails the test."""
    unknown = rule.arguments - set(owned)
    assert not unknown, f"{rule.rule} has parameters that this test does not know: {unknown}"
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(rule.endpoint, {name: owned[name] for name in rule.arguments})
    return str(built)


def rules(app: Flask, method: str) -> list[Rule]:
    skipped = {"static", "auth.sign_out"}
    return [
        rule for rule in app.url_map.iter_rules() if method in (rule.methods or ()) and rule.endpoint not in skipped
    ]


SEARCHES = (f"?q={MARK}", "?q=4711", f"?text={MARK}&contact={MARK}@example.com&source=4711&connector=all&scope=all", "")


def test_no_page_shows_a_row_of_another_organisation(
    app: Flask, stranger: Person, owned: dict[str, Any], viewer: Person
) -> None:
    walked = 0
    for rule in rules(app, "GET"):
        path = address(app, rule, owned)
        for query in SEARCHES:
            answer = stranger.get(path + query)
            assert answer.status_code != 500, path
            assert f" {MARK}" not in answer.get_data(as_text=True), path + query
            if "connector_id" in rule.arguments:
                assert answer.status_code in (401, 403, 404), (path, answer.status_code)
            walked += 1
    assert walked > 150
    assert f" {MARK}" in viewer.get(f"/connectors/{owned['connector_id']}/runs/{owned['run_id']}").text


def test_no_token_reads_another_organisations_rows(app: Flask, services: Services, owned: dict[str, Any]) -> None:
    made = tokens.make(services, 2, "Stranger", list(tokens.SCOPES), "stranger@example.com")
    mine = tokens.make(services, 1, "Owner", list(tokens.SCOPES), "admin@example.com")
    client = app.test_client()
    with services.db.write() as session:
        # What a program did not send it cannot follow either.
        session.get_one(Delivery, owned["delivery_id"]).source_id = "api:17"
        session.get_one(Cart, owned["cart_id"]).source = "api"
    for rule in rules(app, "GET"):
        if not rule.rule.startswith(("/api/", "/metrics")):
            continue
        path = address(app, rule, owned)
        theirs = client.get(path, headers={"Authorization": f"Bearer {made.secret}"})
        assert MARK not in theirs.get_data(as_text=True), path
        assert theirs.status_code == (404 if rule.arguments else 200), path
        ours = client.get(path, headers={"Authorization": f"Bearer {mine.secret}"})
        assert ours.status_code == 200, path


def dump(services: Services) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is the first organisation's, as it is stored; ticks of the clock and cookies are not in it."""
    mine: dict[type[Base], Any] = {
        Connector: Connector.organisation_id == 1,
        User: User.organisation_id == 1,
        ApiToken: ApiToken.organisation_id == 1,
        Invitation: Invitation.organisation_id == 1,
        AlertGroup: AlertGroup.organisation_id == 1,
        AuditEntry: AuditEntry.organisation_id == 1,
    }
    mine |= dict.fromkeys((Delivery, Run, RunLine, SyncLogEntry, Alert, Reconciliation, Drift, Gap, PayloadFile), True)
    with services.db.read() as session:
        return {model.__tablename__: _plain(session, model, which) for model, which in mine.items()}


def _plain(session: Session, model: type[Base], which: Any) -> list[tuple[Any, ...]]:
    columns = model.__table__.columns
    return [tuple(row) for row in session.execute(select(*columns).where(which).order_by(*model.__table__.primary_key))]


def test_no_form_changes_a_row_of_another_organisation(
    app: Flask, stranger: Person, services: Services, owned: dict[str, Any]
) -> None:
    values = {
        "act": "replay",
        "reason": "x",
        "role": "viewer",
        "name": "x",
        "kind": "full",
        "since": "2026-01-01T00:00",
    }
    values |= {
        "id": str(owned["delivery_id"]),
        "only": "orders",
        "what": "failed",
        "scope": "all",
        "email": "x@x.test",
    }
    before = dump(services)
    for rule in rules(app, "POST"):
        path = address(app, rule, owned)
        answer = stranger.post(path, dict(values))
        assert answer.status_code < 500, (path, answer.status_code)
        if "connector_id" in rule.arguments:
            assert answer.status_code in (401, 403, 404), (path, answer.status_code)
        assert dump(services) == before, path
