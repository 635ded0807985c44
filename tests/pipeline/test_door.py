"""What is told unchanged at the door is what the whole road finds unchanged, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from integration.events import Change, Origin
from integration.identity import person_key_of
from integration.mapping.fields import needs
from integration.mautic.batches import BatchSize
from integration.models import (
    Connector,
    ConnectorState,
    ContactLink,
    Delivery,
    FollowUpMark,
    Hold,
    Run,
    SyncLogEntry,
)
from integration.models.erasure import BlockedAddress
from integration.models.follow_up import MarkState
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery import batch_context
from integration.pipeline.delivery.batch_context import fields_to_json
from integration.pipeline.delivery.deliver import Deliverer
from integration.pipeline.delivery.door import PASSES_MAX, Door
from integration.pipeline.delivery.follow_up_marks import key_of
from integration.pipeline.delivery.groups import DeliveryGroup, of_change
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.delivery.planning import plan_group
from integration.pipeline.ingest import records
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.plans import MauticField
from integration.settings import Modules
from integration.store import parse
from tests.bench.world import order
from tests.conftest import NOON
from tests.pipeline import rows

#: Nobody listens there: whatever the road asks Mautic for fails at once, and is no skip.
DEAF = "http://127.0.0.1:1"
ADA, BOB = rows.ADA, rows.BOB
SETTINGS = {"orders.notes": True, "orders.general_tags": ["buyer"], "contacts.default_tags": ["customer"]}
PLAIN = ("email", "firstname", "lastname", "company", "phone", "address1", "address2", "city", "zipcode", "country",
         "state")  # fmt: skip


class Shop:
    """A connector whose records are in Mautic as they are; what a test changes is changed in it, then synced again."""

    def __init__(self, services: Services, number: int = 1) -> None:
        self.services = services
        self.id = connectors.create(services, organisation_id=1, name=f"Shop {number}", mautic_url=DEAF)
        connectors.configure(services, self.id, SETTINGS)
        self.rows: dict[str, dict[str, Any]] = {
            "customer": customer(1, "ada@example.com"),
            "order": order(11, "ada@example.com"),
            "later": order(12, "ada@example.com") | {"date_created_gmt": "2026-11-02T09:00:00"},
            "other": order(13, "bob@example.com"),
        }
        self.options: dict[str, Any] = {}
        self.kind = "full"
        self.list_fields()
        self._confirm()
        self.run = self._begun()

    def list_fields(self, *without: str) -> None:
        """Let Mautic have the fields of a contact and all of ours, read just now."""
        with self.services.db.write() as session:
            connector = session.get_one(Connector, self.id)
            ours = [(need.alias, need.type) for need in needs(Modules.from_json(connector.settings))]
            every = {
                alias: MauticField(alias, kind, limit=None) for alias, kind in [*((p, "text") for p in PLAIN), *ours]
            }
            connector.fields = fields_to_json({alias: each for alias, each in every.items() if alias not in without})
            connector.fields_at = self.services.clock.now()

    def changes(self) -> list[Change]:
        """Return what a full sync reads of the shop now."""
        now = self.services.clock.now()
        found = [parse.customer_change(self.rows["customer"], Origin.FULL, now, created=False)]
        return found + [
            parse.order_change(row, Origin.FULL, now) for name, row in self.rows.items() if name != "customer"
        ]

    def _confirm(self) -> None:
        """Let all be in Mautic, as the settlement of a first sync leaves it."""
        with self.services.db.write() as session:
            records.accept(session, NOON, self.id, self.changes())
            session.execute(delete(Delivery).where(Delivery.connector_id == self.id))
            connector = session.get_one(Connector, self.id)
            people: dict[str, list[Change]] = {}
            for change in records.dated(session, NOON, self.id, self.changes()):
                people.setdefault(change.ordering_key, []).append(change)
            for person_key, theirs in people.items():
                group = DeliveryGroup(person_key, tuple(of_change(n, c) for n, c in enumerate(theirs)))
                # Once for each kind, for that is how a sync meets them.
                for kind in dict.fromkeys(each.kind for each in group.deliveries):
                    part = DeliveryGroup(person_key, tuple(d for d in group.deliveries if d.kind is kind))
                    self._settle(session, connector, part)

    def _settle(self, session: Session, connector: Connector, group: DeliveryGroup) -> None:
        contact_id = 7 if group.person_key == ADA else 8
        planned = plan_group(group, batch_context.lay(session, connector, [group.person_key]))
        assert planned.plans, planned
        held = {**(planned.link.hashes if planned.link else {}), **planned.hashes}
        row = {"person_key": group.person_key, "contact_id": contact_id, "fields": held, "written_at": NOON}
        batch_context.save_links(session, connector.id, [row])
        for plan in planned.plans.values():
            for act in plan.follow_ups:
                order_id, status, action = key_of(act)
                mark = FollowUpMark(connector_id=self.id, order_id=order_id, status=status, action=action)
                mark.state, mark.contact_id, mark.started_at, mark.done_at = MarkState.DONE, contact_id, NOON, NOON
                session.add(mark)
        session.flush()
        session.expire_all()

    def _begun(self) -> Run:
        run_id = run_lifecycle.start(self.services, self.id, self.kind, trigger="test")
        with self.services.db.write() as session:
            run = session.get_one(Run, run_id)
            run.state, run.started_at = "RUNNING", NOON
            session.flush()
            session.expunge_all()
        return run

    def accept(self, session: Session, *, door: bool, changes: Sequence[Change] | None = None) -> outbox.Accepted:
        """Accept one page with all records."""
        run = session.get_one(Run, self.run.id)
        run.options, run.kind = self.options, self.kind
        session.flush()
        settle = Door(self.services, run).settle if door else None
        page = self.changes() if changes is None else changes
        return records.accept(session, self.services.clock.now(), self.id, page, run.id, settle)

    def told(self) -> dict[str, tuple[Any, ...]]:
        """Return what the door settles, by record; nothing of it stays."""
        with self.services.db.read() as session:
            self.accept(session, door=True)
            return self._ended(session)

    def found(self) -> dict[str, tuple[Any, ...]]:
        """Return what the road settles without a call to Mautic, each person in a batch of their own."""
        with self.services.db.write() as session:
            self.accept(session, door=False)
        deliverer = Deliverer(self.services, self.id, Lanes(BatchSize(1)))
        while deliverer.work():
            # Whose values would be written meets the deaf Mautic, which must not keep the others.
            with self.services.db.write() as session:
                session.execute(delete(Hold).where(Hold.connector_id == self.id))
        with self.services.db.read() as session:
            return self._ended(session)

    def _ended(self, session: Session) -> dict[str, tuple[Any, ...]]:
        mine = (Delivery.connector_id == self.id, Delivery.run_id == self.run.id, Delivery.state == "skipped")
        columns = [column for column in Delivery.__table__.columns if column.name not in ("id", "priority")]
        found = {f"{row.kind}:{row.source_id}": tuple(row) for row in session.execute(select(*columns).where(*mine))}
        names = [column.name for column in SyncLogEntry.__table__.columns if column.name not in ("id", "delivery_id")]
        entries = session.scalars(select(SyncLogEntry).where(SyncLogEntry.run_id == self.run.id)).all()
        logged = {f"{e.type}:{e.source_id}": tuple(getattr(e, name) for name in names) for e in entries}
        return {key: (*row, logged.get(key)) for key, row in found.items()}


def customer(number: int, email: str) -> dict[str, Any]:
    billing = {"first_name": "Ada", "last_name": "Lovelace", "city": "Milano", "country": "IT", "phone": "+39 02 1"}
    return {
        "id": number,
        "email": email,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "role": "customer",
        "billing": billing | {"email": email, "postcode": "20121", "address_1": "Via Roma 1", "company": "Engines"},
        "date_modified_gmt": "2026-11-01T09:00:00",
    }


@pytest.fixture
def shop(services: Services) -> Shop:
    return Shop(services)


def test_what_has_not_changed_is_told_as_the_road_would_tell_it(shop: Shop) -> None:
    told = shop.told()
    assert told.keys() == {"contact:1", "order:11", "order:12", "order:13"}
    assert told == shop.found()


def test_what_is_told_counts_in_the_run_and_is_nobodys_to_send(shop: Shop) -> None:
    with shop.services.db.write() as session:
        accepted = shop.accept(session, door=True)
        assert (accepted.taken, accepted.settled, accepted.already, accepted.opened) == (4, 4, 0, False)
    with shop.services.db.read() as session:
        run = session.get_one(Run, shop.run.id)
        assert (run.skipped, run.pushed, run.failed, run.calls) == (4, 0, 0, 0)
        found = session.scalars(select(Delivery).where(Delivery.run_id == run.id)).all()
        logged = session.scalars(select(SyncLogEntry).where(SyncLogEntry.run_id == run.id)).all()
        assert {each.id for each in found} == {each.delivery_id for each in logged}
        assert {(each.state, each.error_code) for each in found} == {("skipped", "unchanged")}
        assert {each.contact_id for each in found} == {7, 8}


# -- whatever changes is looked at ------------------------------------------------------------------------------------

Act = Callable[[Shop], None]


def configured(**values: Any) -> Act:
    return lambda shop: connectors.configure(
        shop.services, shop.id, {k.replace("__", "."): v for k, v in values.items()}
    )


def stored(make: Callable[[Shop], Any]) -> Act:
    def act(shop: Shop) -> None:
        with shop.services.db.write() as session:
            session.add(make(shop))

    return act


def written(name: str, **fields: Any) -> Act:
    def act(shop: Shop) -> None:
        shop.rows[name] = {**shop.rows[name], **fields}

    return act


def billed(name: str, **fields: str) -> Act:
    def act(shop: Shop) -> None:
        row = shop.rows[name]
        shop.rows[name] = {**row, "billing": {**row["billing"], **fields}}

    return act


def of_connector(**values: Any) -> Act:
    def act(shop: Shop) -> None:
        with shop.services.db.write() as session:
            connector = session.get_one(Connector, shop.id)
            for name, value in values.items():
                setattr(connector, name, value)

    return act


def unlinked(shop: Shop) -> None:
    with shop.services.db.write() as session:
        session.execute(delete(ContactLink).where(ContactLink.connector_id == shop.id, ContactLink.person_key == ADA))


def forgotten(shop: Shop) -> None:
    """Mautic has lost a field of Ada's since."""
    with shop.services.db.write() as session:
        link = session.get_one(ContactLink, (shop.id, ADA))
        link.fields = {key: value for key, value in link.fields.items() if not key.endswith(".city")}


def marked(state: str | None) -> Act:
    def act(shop: Shop) -> None:
        with shop.services.db.write() as session:
            of_order = (FollowUpMark.connector_id == shop.id, FollowUpMark.order_id == "11")
            gone, kept = delete(FollowUpMark), update(FollowUpMark).values(state=state)
            session.execute((gone if state is None else kept).where(*of_order))

    return act


def unanswered(shop: Shop) -> None:
    with shop.services.db.write() as session:
        call = UnansweredCall(connector_id=shop.id, token="t" * 32, sent_at=NOON, rows=1, pause_s=1.0, looks=0)
        call.look_at = rows.minutes(60)
        session.add(call)
        session.flush()
        session.add(UnansweredPerson(connector_id=shop.id, person_key=ADA, call_id=call.id))


def resent(shop: Shop) -> None:
    shop.options = {"resend": True}


def gave_away(shop: Shop) -> None:
    """The order is somebody else's now."""
    billed("later", email="carl@example.com")(shop)
    written("later", date_modified_gmt="2026-11-03T09:00:00")(shop)


LATER = {"date_modified_gmt": "2026-11-10T09:00:00"}
#: What happened -> what may be told unchanged all the same.
EVERYTHING = frozenset({"contact:1", "order:11", "order:12", "order:13"})
BOBS = frozenset({"order:13"})
NOTHING: frozenset[str] = frozenset()
CHANGES: Mapping[str, tuple[Act, frozenset[str]]] = {
    "a tag of orders": (configured(orders__general_tags=["buyer", "new"]), frozenset({"contact:1"})),
    "a tag of customers": (configured(contacts__default_tags=["client"]), BOBS),
    "what counts as paid": (configured(orders__paid_statuses=["processing"]), frozenset({"contact:1"})),
    "which statuses are synced": (configured(orders__statuses=["processing"]), NOTHING),
    "consent is asked for": (configured(consent__enabled=True, consent__order_field="optin"), NOTHING),
    "an own row": (
        configured(**{"mapping.rows": [{"kind": "order", "source": "customer_note", "alias": "company"}]}),
        frozenset({"contact:1"}),
    ),
    "Mautic lost a field that we write": (lambda shop: shop.list_fields("city"), EVERYTHING),
    "the list of fields is old": (of_connector(fields_at=rows.minutes(-60)), NOTHING),
    "the shop's currency": (of_connector(store_facts={"currency": "USD"}), frozenset({"contact:1"})),
    "no Mautic": (of_connector(mautic_url=""), NOTHING),
    "read only": (of_connector(state=ConnectorState.READ_ONLY), NOTHING),
    "the link is gone": (unlinked, BOBS),
    "a value was forgotten": (forgotten, BOBS),
    "a note was only begun": (marked(MarkState.STARTED), BOBS),
    "a note was not made": (marked(None), BOBS),
    "the record is dead": (stored(lambda s: rows.delivery(s.id, "11", "dead", died_at=NOON)), BOBS),
    "another of the person's is dead": (stored(lambda s: rows.delivery(s.id, "99", "dead", died_at=NOON)), BOBS),
    "the record is partial": (stored(lambda s: rows.delivery(s.id, "11", partial=True)), BOBS),
    "the person has something waiting": (stored(lambda s: rows.delivery(s.id, "98", "waiting")), BOBS),
    "the person has something out": (stored(lambda s: rows.delivery(s.id, "97", "leased", lease_token="x")), BOBS),
    "a call has no answer": (unanswered, BOBS),
    "the person is blocked": (
        stored(lambda s: BlockedAddress(organisation_id=1, connector_id=s.id, person_key=ADA, blocked_at=NOON)),
        BOBS,
    ),
    "Mautic is held": (
        stored(
            lambda s: Hold(
                connector_id=s.id, service="mautic", code="x", sentence="", since=NOON, probe_at=rows.minutes(9)
            )
        ),
        NOTHING,
    ),  # fmt: skip
    "all is to be sent again": (resent, NOTHING),
    "an order of somebody else": (gave_away, frozenset({"contact:1"}) | BOBS),
    "a first name": (written("customer", first_name="Augusta", **LATER), BOBS),
    "a city": (billed("customer", city="Roma"), BOBS),
    "a total": (written("order", total="29.00", **LATER), BOBS),
    "a status": (written("order", status="refunded", **LATER), BOBS),
    "a role": (written("customer", role="shop_manager"), EVERYTHING),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_goes_the_road(shop: Shop, what: str) -> None:
    change, may_be_told = CHANGES[what]
    change(shop)
    told = shop.told()
    assert told.keys() <= may_be_told, "what has changed must not be told unchanged"
    found = shop.found()
    assert told.items() <= found.items()


#: The values of records that are mapped to a field of a contact, tag or note.
VALUES = [
    ("customer", "billing", name)
    for name in ("first_name", "last_name", "company", "address_1", "city", "postcode", "phone", "country")
] + [("later", "billing", name) for name in ("first_name", "city", "country")]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_changes_the_door_tells_no_more_than_the_road(services: Services, data: st.DataObject) -> None:
    shop = Shop(services)
    for name in data.draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=2, unique=True)):
        CHANGES[name][0](shop)
    for name, part, key in data.draw(st.lists(st.sampled_from(VALUES), max_size=2, unique=True)):
        value = data.draw(st.sampled_from(("Milano", "IT", "", "Zoë", "  Ada ")))
        shop.rows[name] = {**shop.rows[name], part: {**shop.rows[name][part], key: value}}
    told = shop.told()
    assert told.items() <= shop.found().items()


def test_a_record_that_came_back_or_is_gone_goes_the_road(shop: Shop) -> None:
    again = [replace(change, restored=True) for change in shop.changes() if change.source_id == "13"]
    gone = [replace(change, event="deleted") for change in shop.changes() if change.source_id == "11"]
    with shop.services.db.read() as session:
        assert shop.accept(session, door=True, changes=again).settled == 0
        assert shop.accept(session, door=True, changes=gone).settled == 0


def test_live_records_go_the_road(shop: Shop) -> None:
    live = [replace(change, origin=Origin.POLL) for change in shop.changes()]
    with shop.services.db.read() as session:
        assert shop.accept(session, door=True, changes=live).settled == 0


def test_a_first_import_is_let_through(shop: Shop) -> None:
    shop.kind = "initial"
    assert shop.told() == {}
    of_connector(initial_done_at=NOON)(shop)
    assert len(shop.told()) == 4


def test_pages_are_let_through_unseen_while_all_has_changed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(
        "integration.pipeline.delivery.door.plan_group", lambda *a: looked.append(page) or plan_group(*a)
    )
    configured(orders__general_tags=["new"])(shop)
    changes = [change for change in shop.changes() if change.source_id == "13"]
    with shop.services.db.read() as session:
        door = Door(shop.services, session.get_one(Run, shop.run.id))
        for page in range(200):  # noqa: B007
            settled, left = door.settle(session, NOON, [(change, None) for change in changes])
            assert (settled, list(left)) == (0, changes)
    assert looked == [0, 2, 6, 14, 30, 62, *range(62 + PASSES_MAX + 1, 200, PASSES_MAX + 1)]


def test_ada_and_bob_are_who_they_seem() -> None:
    assert (person_key_of("ada@example.com"), person_key_of("bob@example.com")) == (ADA, BOB)
