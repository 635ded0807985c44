"""Lists of dead letters among many: the right ones by every filter, their causes, and what is looked at for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import select

from integration.config import Deployment
from integration.models import Organisation
from integration.models.database import Database
from integration.models.delivery import Delivery
from integration.pipeline.connectors import connectors
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.pipeline.outbox import record_numbers
from integration.pipeline.services import Services, open_services
from integration.queries import dead_letter_causes, dead_letters
from tests.bench.filling import book_of, fill
from tests.conftest import NOON
from tests.schema import make_newest
from tests.statements import caught, plan

ROWS = 20_000
SINCE, UNTIL = NOON - timedelta(days=50), NOON - timedelta(days=20)
FILTERS = [
    {name: value for name, value in zip(("code", "category", "kind"), values, strict=True) if value}
    for values in product(("", "code_3"), ("", "transient"), ("", "contact", "abandoned_cart"))
]
DAYS = {"since": f"{SINCE:%Y-%m-%dT%H:%M}", "until": f"{UNTIL:%Y-%m-%dT%H:%M}"}


@pytest.fixture
def filled(deployment: Deployment) -> Iterator[Services]:
    """Services with a book of one connector, the first."""
    make_newest(deployment.database_url)
    services = open_services(deployment)
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    number = connectors.create(services, organisation_id=1, name="Shop")
    fill(services.db, number, NOON, book_of(ROWS, entries=20, attempts=20))
    yield services
    services.db.dispose()


def letters(db: Database) -> list[Delivery]:
    with db.read() as session:
        return list(session.scalars(select(Delivery).where(Delivery.state == "dead").order_by(Delivery.id.desc())))


def fits(letter: Delivery, asked: dict[str, str]) -> bool:
    names = {"code": "error_code", "category": "category", "kind": "kind"}
    return all(getattr(letter, names[name]) == value for name, value in asked.items())


def within(letter: Delivery) -> bool:
    at: datetime | None = letter.died_at
    return at is not None and SINCE <= at < UNTIL


def page(services: Services, **args: str) -> dead_letters.DeadPage:
    query, notices = DeadQuery.parse(1, args)
    assert notices == []
    with services.db.read() as session:
        return dead_letters.read_page(session, query)


def all_pages(services: Services, **args: str) -> Iterator[int]:
    before: dict[str, str] = {}
    while True:
        found = page(services, **args, **before)
        yield from (record.id for record in found.records)
        if found.older is None:
            return
        before = {"before": str(found.older)}


@pytest.mark.parametrize(
    ("counted", "looked_at"), [(10_000, 10_000), (20, 10_000), (20, 150)], ids=["few", "very many", "far apart"]
)
def test_every_filter_finds_its_dead_letters_page_after_page(
    filled: Services, counted: int, looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "COUNTED_ROWS_MAX", counted)
    monkeypatch.setattr(dead_letters, "LOOKED_AT_FIRST", looked_at)
    every = letters(filled.db)
    for asked, days in product(FILTERS, ({}, DAYS)):
        wanted = [letter.id for letter in every if fits(letter, asked) and (not days or within(letter))]
        assert list(all_pages(filled, limit="100", **asked, **days)) == wanted, (asked, days)
        total = page(filled, **asked, **days).total
        assert total == (min(len(wanted), counted), len(wanted) <= counted)


def test_dead_letters_by_dates_are_found_without_looking_at_others(filled: Services) -> None:
    for asked in filter(None, FILTERS):
        with caught(filled.db.engine) as statements:
            page(filled, **asked, **DAYS)
        (counting,) = [each for each in statements if "count(*)" in each.text]
        with filled.db.engine.connect() as connection:
            words = "" if filled.db.sqlite else "(ANALYZE, BUFFERS, TIMING OFF)"
            lines = plan(connection, counting, words)
        index = "ix_delivery_letter_cause_when" if "code" in asked else "ix_delivery_letter_when"
        if filled.db.sqlite:
            assert any(index in line and "died_at>?" in line for line in lines), (asked, lines)
        else:
            # It chooses among indexes by itself; what it looked at in vain it would say.
            assert any("died_at >=" in line for line in lines), (asked, lines)
            assert not any("Removed by Filter" in line for line in lines), (asked, lines)


def test_causes_are_told_with_their_number_and_when_they_began(filled: Services) -> None:
    with filled.db.write() as session:
        began = NOON - timedelta(days=400)
        fifth = session.scalars(select(Delivery).where(Delivery.error_code == "code_5")).all()
        max(fifth, key=lambda letter: letter.id).failing_since = began
    every = letters(filled.db)
    with filled.db.read() as session:
        with caught(filled.db.engine) as statements:
            found = dead_letter_causes.groups(session, 1)
        assert dead_letter_causes.groups(session, 2) == []
    assert sum("delivery" in each.text for each in statements) == 1
    assert {(each.code, each.category): each.total.number for each in found} == Counter(
        (letter.error_code, letter.category) for letter in every
    )
    assert [each.total.number for each in found] == sorted((each.total.number for each in found), reverse=True)
    for each in found:
        moments = [letter.settled_at for letter in every if letter.error_code == each.code]
        assert (each.first, each.last) == (began if each.code == "code_5" else min(moments), max(moments))
        assert each.sentence == "Mautic refused the value of a field."


def test_where_there_are_many_causes_each_is_counted_less_far(
    filled: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letter_causes, "LOOKED_THROUGH_MAX", 12 * 11)
    with filled.db.read() as session:
        found = dead_letter_causes.groups(session, 1)
        few = dead_letter_causes.groups(session, 1, limit=5)
    assert {each.total for each in found} == {(10, False)}
    assert [len(found), len(few)] == [12, 5]
    assert {each.total for each in few} == {(25, False)}


def test_a_beginning_of_many_numbers_says_how_many_were_looked_through(
    filled: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = [letter.id for letter in letters(filled.db) if letter.source_id.startswith("19")]
    assert len(begun) > 20
    assert list(all_pages(filled, source="19")) == begun
    assert page(filled, source="19").notices == []
    for module in (record_numbers, dead_letters):
        monkeypatch.setattr(module, "NUMBERED_ROWS_MAX", 20)
    found = page(filled, source="19", category="transient")
    assert found.notices == [
        "More than 20 numbers begin with “19”; 20 of them were looked through. Write more of the number."
    ]
    assert not found.total.exact
    assert {letter.id for letter in found.records} < set(begun)
