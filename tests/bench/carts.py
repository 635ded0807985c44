"""How many calls Mautic and the store get for carts that were left."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from integration.carts import announcing, detection
from integration.carts.capture import capture
from integration.carts.captured import Captured
from integration.models import Connector
from integration.pipeline.connectors import field_list
from integration.sandbox.mautic.seed import seed
from integration.sandbox.store import demo_catalogue
from tests.bench.calls import make_fields
from tests.bench.world import World, report, world

COUNT = 1000
SEGMENT = 1
_SETTINGS = {"carts.enabled": True, "carts.silent": True, "carts.timeout": 1, "carts.coupon": "percent"}


def announced() -> None:
    """Count the calls for 1,000 carts of different people with tag, fields, segment and coupon.

    A token and the list of Mautic's fields are at hand, as in a connector that is set up.
    """
    with world(**_SETTINGS, **{"carts.segment": SEGMENT, "sync.proof_every": 0}) as at:
        seed(at.mautic.state)
        demo_catalogue.stock(at.store.state)
        make_fields(at)
        field_list.refresh(at.services, at.connector(), at.services.open_mautic(at.connector()))
        _leave(at, COUNT)
        at.mautic.calls.reset()
        at.store.calls.reset()
        while detection.tick(at.services) + announcing.tick(at.services):
            pass
        at.work()
        contacts = at.mautic.state.contacts.values()
        tagged = [each for each in contacts if "abandoned_cart" in at.mautic.state.tag_names(each)]
        coupons = {str(each.values.get("mautic_woo_coupon_code")) for each in tagged} - {"", "None"}
        assert (len(tagged), len(coupons)) == (COUNT, COUNT)
        assert len([each for each in tagged if SEGMENT in each.segments]) == COUNT
        total, paths = at.mautic.calls.total, [call.path for call in at.mautic.calls]
        more = {
            "segments": sum("segments" in path for path in paths),
            "batches": sum("batch" in path for path in paths),
        }
        report(f"Mautic calls per {COUNT:,} carts", total, "calls", "<= 20", total <= 20, **more)
        asked = [call.path for call in at.store.calls]
        kinds = {kind: sum(f"/{kind}" in path for path in asked) for kind in ("products", "coupons", "orders")}
        report(f"store calls per {COUNT:,} carts", len(asked), "calls", "<= 40", len(asked) <= 40, **kinds)


def _leave(at: World, count: int) -> None:
    """Let shoppers leave carts with two products, two minutes ago, after the first import."""
    tea, shirt, *_ = (
        each["id"] for each in at.store.state.products.values() if each["type"] in ("simple", "variation")
    )
    now = at.services.clock.now()
    module = at.services.modules(at.connector()).carts
    with at.services.db.write() as session:
        session.execute(update(Connector).values(initial_done_at=now))
        for number in range(count):
            items = [{"id": tea, "qty": 2}, {"id": shirt, "qty": 1}]
            state = {"cart": f"bench-cart-{number:08}", "n": 1, "email": f"shopper{number}@example.com", "items": items}
            capture(session, now - timedelta(minutes=2), at.connector_id, module, Captured.model_validate(state))


def measure() -> None:
    """Measure all of it."""
    announced()
