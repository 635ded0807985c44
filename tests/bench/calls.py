"""How many calls Mautic gets."""

from __future__ import annotations

from datetime import UTC, datetime

from integration.events import Change, Origin
from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models.connector import Connector
from integration.pipeline.connectors import connectors
from integration.sandbox.mautic.seed import seed
from integration.sandbox.store import demo_catalogue
from integration.store import parse
from tests.bench.world import World, contact_changes, order, order_changes, report, world


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


def orders_with_everything() -> None:
    """Count the calls for 1,000 orders with all that follows an order, without and with an e-mail each."""
    for mails, goal in ((False, 60), (True, 1060)):
        settings = {"orders.notes": True, "orders.category_tags": True, "orders.currency_totals": True}
        with world(**settings) as at:
            demo_catalogue.stock(at.store.state)
            seed(at.mautic.state)
            chosen = {"orders.segments": {"completed": 1}} | ({"orders.emails": {"completed": 1}} if mails else {})
            connectors.configure(at.services, at.connector_id, chosen)
            make_fields(at)
            at.mautic.calls.reset()
            at.store.calls.reset()
            at.accept(_just_bought(1000) if mails else order_changes(1000))
            at.work()
            assert len(at.mautic.state.notes) == 1000
            assert len(at.mautic.state.sent) == (1000 if mails else 0)
            total = at.mautic.calls.total
            what = "calls per 1,000 orders with tags, categories, lifetime values, note, segment"
            name = f"{what}, e-mail" if mails else what
            report(name, total, "calls", f"<= {goal}", total <= goal, store_calls=at.store.calls.total)


def _just_bought(count: int) -> list[Change]:
    """Return orders of different people that a webhook tells of as they are completed."""
    now = datetime.now(UTC)
    dates = dict.fromkeys(("date_created_gmt", "date_modified_gmt", "date_completed_gmt"), f"{now:%Y-%m-%dT%H:%M:%S}")
    rows = [order(number, f"buyer{number}@example.com") | dates for number in range(1, count + 1)]
    return [parse.order_change(row, Origin.WEBHOOK, now) for row in rows]


def make_fields(at: World) -> None:
    """Create the fields that the modules need."""
    with at.services.db.read() as session:
        connector = session.get_one(Connector, at.connector_id)
    Fields(at.services.open_mautic(connector)).create_all(needs(at.services.modules(connector)))


def measure() -> None:
    """Measure all of it."""
    new_contacts()
    orders_with_notes()
    orders_with_everything()
