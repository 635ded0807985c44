"""How many calls Mautic gets."""

from __future__ import annotations

from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models.connector import Connector
from tests.bench.world import World, contact_changes, order_changes, report, world


def new_contacts() -> None:
    """Count the calls for 1,000 new contacts, token and field list included."""
    with world() as at:
        at.accept(contact_changes(1000))
        at.work()
        assert len(at.mautic.state.contacts) >= 1000
        report("calls per 1,000 new contacts", at.mautic.calls.total, "calls", "<= 20", at.mautic.calls.total <= 20)


def orders_with_notes() -> None:
    """Count the calls for 1,000 completed orders of different people, each with a note."""
    with world(**{"orders.notes": True}) as at:
        make_fields(at)
        at.mautic.calls.reset()
        at.accept(order_changes(1000))
        at.work()
        assert len(at.mautic.state.notes) == 1000
        total = at.mautic.calls.total
        report("calls per 1,000 orders with a note", total, "calls", "<= 45", total <= 45)


def make_fields(at: World) -> None:
    """Create the fields that the modules need."""
    with at.services.db.read() as session:
        connector = session.get_one(Connector, at.connector_id)
    Fields(at.services.open_mautic(connector)).create_all(needs(at.services.modules(connector)))


def measure() -> None:
    """Measure all of it."""
    new_contacts()
    orders_with_notes()
