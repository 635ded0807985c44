"""A shop all of whose records are in Mautic as they are, and what may happen to it before it is synced again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration.events import Change, Kind, Origin
from integration.mapping.fields import needs
from integration.mautic.batches import BatchSize
from integration.models import (
    Connector,
    Delivery,
    FollowUpMark,
    Hold,
    Run,
    SyncLogEntry,
)
from integration.models.follow_up import MarkState
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery import batch_context
from integration.pipeline.delivery.batch_context import fields_to_json
from integration.pipeline.delivery.deliver import Deliverer
from integration.pipeline.delivery.door import Door
from integration.pipeline.delivery.follow_up_marks import key_of
from integration.pipeline.delivery.groups import DeliveryGroup, of_change
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.delivery.planning import plan_group
from integration.pipeline.delivery.stamps import Page
from integration.pipeline.ingest import records
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.plans import MauticField
from integration.settings import Modules
from integration.store import parse
from tests.bench.world import order
from tests.conftest import NOON
from tests.pipeline import rows

T = TypeVar("T")

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
        self.per_page = 100
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

    def tried(self) -> Session:
        """Return a session of which nothing stays."""
        return Session(self.services.db.engine, expire_on_commit=False)

    def told(self) -> dict[str, tuple[Any, ...]]:
        """Return what the door settles, by record; nothing of it stays."""
        with self.tried() as session:
            self.accept(session, door=True)
            return self._ended(session)

    def found(self) -> dict[str, tuple[Any, ...]]:
        """Return what the road settles without a call to Mautic, each person in a batch of their own."""
        return self._sent(self.changes())

    def found_by_page(self) -> dict[str, tuple[Any, ...]]:
        """Return the same where the list of orders is noted first, then customers are sent, then orders."""
        with self.services.db.write() as session:
            self._note(session)
        first, *orders = self.changes()
        found = self._sent([first])
        for page in chunks(orders, self.per_page):
            found |= self._sent(page)
        return found

    def _note(self, session: Session) -> None:
        orders = records.readable(row for name, row in self.rows.items() if name != "customer")
        records.note(session, self.services.clock.now(), self.id, orders, Origin.FULL)

    def _sent(self, changes: Sequence[Change]) -> dict[str, tuple[Any, ...]]:
        with self.services.db.write() as session:
            self.accept(session, door=False, changes=changes)
        deliverer = Deliverer(self.services, self.id, Lanes(BatchSize(1)))
        while deliverer.work():
            # Whose values would be written meets the deaf Mautic, which must not keep the others.
            with self.services.db.write() as session:
                session.execute(delete(Hold).where(Hold.connector_id == self.id))
        with self.services.db.read() as session:
            return self._ended(session)

    # -- by stamps ------------------------------------------------------------------------------------------------

    def stamp(self) -> None:
        """Sync all once, so that each record has its stamp; nothing else stays of it."""
        with self.services.db.write() as session:
            door, pages = self.pages(session)
            for page in pages:
                changes = [page.change(row) for row in page.rows.values()]
                now = self.services.clock.now()
                records.accept(session, now, self.id, changes, self.run.id, partial(door.settle, page=page))
            session.execute(delete(Delivery).where(Delivery.connector_id == self.id))
            session.execute(delete(SyncLogEntry).where(SyncLogEntry.connector_id == self.id))

    def pages(self, session: Session) -> tuple[Door, list[Page]]:
        """Return the door of the run, and what it knows of a page of customers and of those of orders."""
        run = session.get_one(Run, self.run.id)
        run.options, run.kind = self.options, self.kind
        session.flush()
        session.commit()
        door, now, origin = Door(self.services, run), self.services.clock.now(), Origin(self.kind)
        orders = [row for name, row in self.rows.items() if name != "customer"]
        return door, [
            door.recognise(
                Kind.CONTACT,
                origin,
                [self.rows["customer"]],
                lambda row: parse.customer_change(row, origin, now, created=False),
            ),
            *(
                door.recognise(Kind.ORDER, origin, page, lambda row: parse.order_change(row, origin, now))
                for page in chunks(orders, self.per_page)
            ),
        ]

    def known(self, *, listed: bool = True) -> dict[str, tuple[Any, ...]]:
        """Return what is settled by stamps alone, by record; nothing of it stays.

        The list of orders is read before where it is `listed`.
        """
        with self.services.db.write() as session:
            door, pages = self.pages(session)
        with self.tried() as session:
            if listed:
                self._note(session)
            for page in pages:
                known = door.settle_known(session, self.services.clock.now(), page)
                of_page = [each for each in self.changes() if (each.kind, each.source_id) in self._records(page)]
                left = [each for each in of_page if each.source_id not in known]
                self.accept(session, door=False, changes=left)
            return self._ended(session)

    def _records(self, page: Page) -> set[tuple[Kind, str]]:
        return {(page.kind, source_id) for source_id in page.rows}

    def _ended(self, session: Session) -> dict[str, tuple[Any, ...]]:
        mine = (Delivery.connector_id == self.id, Delivery.run_id == self.run.id, Delivery.state == "skipped")
        columns = [column for column in Delivery.__table__.columns if column.name not in ("id", "priority")]
        found = {f"{row.kind}:{row.source_id}": tuple(row) for row in session.execute(select(*columns).where(*mine))}
        names = [column.name for column in SyncLogEntry.__table__.columns if column.name not in ("id", "delivery_id")]
        entries = session.scalars(select(SyncLogEntry).where(SyncLogEntry.run_id == self.run.id)).all()
        logged = {f"{e.type}:{e.source_id}": tuple(getattr(e, name) for name in names) for e in entries}
        return {key: (*row, logged.get(key)) for key, row in found.items()}


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in pages of so many."""
    return (items[at : at + size] for at in range(0, len(items), size))


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
