"""What a comparison wants of whoever's records have stamps that hold was confirmed, whatever the shop is like."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.orm import Session

from integration import streams
from integration.digests import row_digest
from integration.events import Kind, Origin
from integration.models import Connector
from integration.operations.reconciliation import confirmed
from integration.operations.reconciliation.people import NO_RUN, Person
from integration.operations.reconciliation.wanted import Wanted, plan_wanted
from integration.pipeline.delivery import batch_context, stamps
from integration.pipeline.services import Services
from integration.plans import ContactWrite
from integration.store import parse
from tests.pipeline.door_changes import happen
from tests.pipeline.door_shop import ADA, BOB, Shop
from tests.pipeline.drawn_shop import drawn
from tests.pipeline.imported_shop import SHOPS


def people_of(shop: Shop) -> dict[str, Person]:
    """Return the shop's people as a reconciliation gathers them: the profile, then the orders by id."""
    now, found = shop.services.clock.now(), dict[str, Person]()
    for name, row in sorted(shop.rows.items(), key=lambda each: (each[0] != "customer", each[1]["id"])):
        if name == "customer":
            change = parse.customer_change(row, Origin.FULL, now, created=False)
        else:
            change = parse.order_change(row, Origin.FULL, now)
        person = found.setdefault(change.person_key, Person(change.person_key))
        person.changes.append(change)
        person.rows.append(row)
    return found


def records_of(person: Person) -> dict[Kind, dict[str, str]]:
    records: dict[Kind, dict[str, str]] = {Kind.CONTACT: {}, Kind.ORDER: {}}
    for change, row in zip(person.changes, person.rows, strict=True):
        records[change.kind][change.source_id] = row_digest(row)
    return records


def told(session: Session, shop: Shop, people: Mapping[str, Person]) -> set[str]:
    connector = session.get_one(Connector, shop.id)
    kept = stamps.stored(session, connector, sorted(people))
    return confirmed.standing(session, connector, kept, {key: records_of(one) for key, one in people.items()})


def wanted_of(session: Session, shop: Shop, person: Person) -> Wanted | None:
    connector = session.get_one(Connector, shop.id)
    context = batch_context.lay(session, connector, [person.person_key], frozenset({NO_RUN}))
    return plan_wanted(person, context)


def was_confirmed(wanted: Wanted, person: Person, link: confirmed.Link, sums: Collection[str]) -> bool:
    """Tell whether all values and tags are among the hashes of the link, and Do Not Contact is not looked at."""
    kinds = [kind for kind in streams.STREAMS if kind in {change.kind for change in person.changes}]
    # Where one of two kinds is left out it is not told which.
    choices = [[kind] for kind in kinds] if len(kinds) == len(wanted.by_kind) else [kinds]
    writes = zip(wanted.by_kind, choices, strict=True)
    values = all(any(is_in(link, kind, write, sums) for kind in choice) for write, choice in writes)
    tags = set(wanted.whole.tags) <= set(confirmed._parted(link.hashes)[1])
    return values and tags and wanted.whole.do_not_contact is None


def is_in(link: confirmed.Link, kind: Kind, write: ContactWrite, sums: Collection[str]) -> bool:
    wanted = batch_context.hashes(kind, write, of_orders=sums)
    return all(batch_context.same(link.hashes.get(key), value) for key, value in wanted.items())


@pytest.mark.parametrize("how", SHOPS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_is_wanted_that_was_not_confirmed(services: Services, how: str, data: st.DataObject) -> None:
    shop = SHOPS[how](services)
    drawn(shop, data)
    shop.stamp()
    if data.draw(st.booleans()):
        happen(shop, data)
    people = people_of(shop)
    with shop.tried() as session:
        for person_key in told(session, shop, people):
            wanted = wanted_of(session, shop, people[person_key])
            assert wanted is not None, "who is told of is counted as one who was compared"
            link = confirmed.links(session, shop.id, [person_key])[person_key]
            sums = batch_context.lay(session, session.get_one(Connector, shop.id), [person_key]).sum_aliases
            assert was_confirmed(wanted, people[person_key], link, sums)


@pytest.mark.parametrize("per_page", [1, 2, 100])
@pytest.mark.parametrize("how", SHOPS)
def test_all_people_are_told_of_by_whatever_pages_they_came(services: Services, how: str, per_page: int) -> None:
    shop = SHOPS[how](services)
    shop.per_page = per_page
    shop.stamp()
    with shop.tried() as session:
        assert told(session, shop, people_of(shop)) == {ADA, BOB}


@pytest.mark.parametrize("name", ["customer", "order", "later"])
def test_whose_record_is_another_one_is_not_told_of(services: Services, name: str) -> None:
    shop = SHOPS["imported"](services)
    shop.stamp()
    billing: dict[str, Any] = {**shop.rows[name]["billing"], "city": "Rome"}
    shop.rows[name] = {**shop.rows[name], "billing": billing}
    with shop.tried() as session:
        assert told(session, shop, people_of(shop)) == {BOB}
