"""Which of many values a column has, asked with one parameter."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import bindparam, insert, or_, select

from integration.models import Database
from integration.models.ledger import CustomerMark
from integration.models.membership import among
from tests.statements import caught, plan

#: PostgreSQL keeps no NUL, and neither a half surrogate.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
NUMBERS = st.integers(-(2**63), 2**63 - 1)


def kept(db: Database, values: dict[int, str]) -> None:
    with db.write() as session:
        session.query(CustomerMark).delete()
        for number, text in values.items():
            session.execute(insert(CustomerMark).values(connector_id=1, customer_id=number, version=text))


def found(db: Database, condition: Any, given_values: dict[str, Collection[Any]] | None = None) -> set[int]:
    with db.read() as session:
        return set(session.scalars(select(CustomerMark.customer_id).where(condition), given_values or {}))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(NUMBERS, TEXTS, max_size=6), texts=st.lists(TEXTS, max_size=4), numbers=st.lists(NUMBERS))
def test_it_finds_what_python_finds(
    marks: Database, values: dict[int, str], texts: list[str], numbers: list[int]
) -> None:
    kept(marks, values)
    texts, numbers = [*texts, *list(values.values())[:2]], [*numbers, *list(values)[1:3]]
    by_text = {number for number, text in values.items() if text in texts}
    by_number = values.keys() & set(numbers)
    assert found(marks, among(CustomerMark.version, texts)) == by_text
    assert found(marks, among(CustomerMark.customer_id, numbers)) == by_number
    either = or_(among(CustomerMark.version, texts), among(CustomerMark.customer_id, numbers))
    assert found(marks, either) == by_text | by_number


def test_nothing_is_among_none(marks: Database) -> None:
    kept(marks, {1: "", 2: "a"})
    assert found(marks, among(CustomerMark.version, [])) == set()
    assert found(marks, among(CustomerMark.customer_id, bindparam("ids")), {"ids": set()}) == set()
    assert found(marks, ~among(CustomerMark.version, ["a"])) == {1}


def test_numbers_may_come_as_texts_and_texts_as_numbers(marks: Database) -> None:
    kept(marks, {1: "7", 2: "8"})
    assert found(marks, among(CustomerMark.customer_id, ["1"])) == {1}
    assert found(marks, among(CustomerMark.version, [8])) == {2}


def test_what_no_column_can_hold_is_nobodys(marks: Database) -> None:
    kept(marks, {2**63 - 1: "ada", 2: "\U0001f600"})
    assert found(marks, among(CustomerMark.version, ["ada\0bob", "\ud83d", "\ud83d\ude00", "\0"])) == set()
    assert found(marks, among(CustomerMark.customer_id, [2**63, 2**64 + 2, -(2**63) - 1])) == set()
    assert found(marks, among(CustomerMark.version, ["ada\0bob", "\U0001f600"])) == {2}


def test_however_many_there_are_it_is_one_statement_by_an_index(marks: Database) -> None:
    kept(marks, {1: "a", 2: "b", 3: "c"})
    which = (CustomerMark.connector_id == 1) & among(CustomerMark.customer_id, bindparam("ids"))
    with caught(marks.engine) as statements:
        assert found(marks, which, {"ids": [1]}) == {1}
        assert found(marks, which, {"ids": range(2, 500)}) == {2, 3}
    asked = [each for each in statements if "customer_mark" in each.text]
    assert len({each.text for each in asked}) == 1
    if marks.sqlite:
        with marks.engine.connect() as connection:
            assert "(connector_id=? AND customer_id=?)" in " ".join(plan(connection, asked[0]))
