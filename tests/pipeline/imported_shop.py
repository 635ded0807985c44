"""A shop that a first import has brought to a Mautic, which is deaf since: its stamps are of what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import delete

from integration.mapping.fields import needs
from integration.mautic.batches import BatchSize
from integration.mautic.fields import Fields
from integration.models import Connector, Delivery, Run, SyncLogEntry
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery.deliver import Deliverer
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.ingest import records
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from tests.pipeline.door_shop import Shop


class ImportedShop(Shop):
    """Its list of orders is noted; `prepare` is done to Mautic before the import sends anything."""

    def __init__(self, services: Services, prepare: Callable[[MauticServer], object] = lambda _: None) -> None:
        self.prepare = prepare
        super().__init__(services)

    def _confirm(self) -> None:
        with self.services.db.write() as session:
            self._note(session)
        self.kind = "initial"

    def stamp(self) -> None:
        """Import all; nothing else stays of it than what is kept of records and people."""
        with MauticServer() as mautic:
            self._connect(mautic)
            self.list_fields()
            self.prepare(mautic)
            self._import()
        with self.services.db.write() as session:
            session.get_one(Run, self.run.id).state = "COMPLETED"
            session.get_one(Connector, self.id).initial_done_at = self.services.clock.now()
            session.execute(delete(Delivery).where(Delivery.connector_id == self.id))
            session.execute(delete(SyncLogEntry).where(SyncLogEntry.connector_id == self.id))
        self.kind = "full"
        self.run = self._begun()

    def _connect(self, mautic: MauticServer) -> None:
        names = ("client_id", "client_secret")
        access = {f"mautic_{name}": getattr(mautic.credentials, name) for name in names}
        connectors.connect(self.services, self.id, mautic_url=mautic.url, mautic_method="client_credentials", **access)
        with self.services.db.read() as session:
            connector = session.get_one(Connector, self.id)
        Fields(self.services.open_mautic(connector)).create_all(needs(self.services.modules(connector)))

    def _import(self) -> None:
        account = self.rows["customer"]
        with self.services.db.write() as session:
            door, pages = self.pages(session)
            for page in pages:
                changes, now = [page.change(row) for row in page.rows.values()], self.services.clock.now()
                records.accept(session, now, self.id, changes, self.run.id, partial(door.settle, page=page))
            records.mark_customers(session, self.id, {account["id"]: "1"}, {account["id"]: account["email"]})
        deliverer = Deliverer(self.services, self.id, Lanes(BatchSize(50)))
        while deliverer.work():
            pass


#: How stamps come about: the door found that nothing was to be sent, or an import has sent it.
SHOPS: Mapping[str, Callable[[Services], Shop]] = {"found": Shop, "imported": ImportedShop}
