"""What a search finds, and what it does not: no more than a real Mautic does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, strategies as st
from mautic_api import Api, api_of

from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.search_syntax import parse

VERSIONS = ("5.2.1", "7.0.0")
PEOPLE = ("ada@example.com", "cy+tag@example.com", "o'neil@example.com", "a+b!c@example.com", "jörg@example.com")


@pytest.fixture(scope="module")
def finders() -> Iterator[dict[str, Api]]:
    """Run a Mautic of each version with the same people; the fifth has no letter that is not ASCII (032)."""
    servers = [MauticServer(version=version) for version in VERSIONS]
    for server in servers:
        server.start()
        for address in PEOPLE:
            api_of(server)("POST", "/api/contacts/new", json={"email": address})
    yield {server.version: api_of(server) for server in servers}
    for server in servers:
        server.stop()


def found(api: Api, **asked: str) -> list[int]:
    """Return the ids of the contacts that a list shows."""
    return sorted(map(int, api("GET", "/api/contacts", params={"minimal": 1, **asked}).json()["contacts"]))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("email:ADA@example.com", [1]),
        ('email:"ada@example.com"', [1]),
        ("email:(ada@example.com)", [1]),
        ("email:cy+tag@example.com", [2]),
        ("email:o'neil@example.com", [3]),
        ("email:jrg@example.com", [5]),
        ("email:jörg@example.com", []),
        ("email:*@example.com", []),
        ("email:da@example", []),
        ("email:ada@example.com OR email:cy+tag@example.com", [1, 2]),
        ('email:"ada@example.com" OR email:"cy+tag@example.com" OR ids:4', [1, 2, 4]),
        ("email:ada@example.com AND email:cy+tag@example.com", []),
        ("email:ada@example.com email:cy+tag@example.com", []),
        ("ids:1,3,99", [1, 3]),
        ("!email:ada@example.com", [2, 3, 4, 5]),
        ("email:!ada@example.com", [2, 3, 4, 5]),
        ("email:+ada@example.com", [1]),
        # A plus and an exclamation mark, one of them among the first two characters: what follows is excluded.
        ("email:a+b!c@example.com", [1, 2, 3, 4, 5]),
        ('email:"a+b!c@example.com"', [1, 2, 3, 4, 5]),
        ('email:"ada@example.com', []),
        ("email:", []),
        ("OR", []),
    ],
)
def test_what_a_search_finds(finders: dict[str, Api], version: str, words: str, ids: list[int]) -> None:
    """Both versions find the same."""
    assert found(finders[version], search=words) == ids


@pytest.mark.parametrize(("version", "ids"), [("5.2.1", [1, 2]), ("7.0.0", [])])
@pytest.mark.parametrize("joint", ["or", "Or"])
def test_a_small_or_joins_only_before_7(finders: dict[str, Api], version: str, joint: str, ids: list[int]) -> None:
    """Later it is a word that must be found as well."""
    assert found(finders[version], search=f"email:ada@example.com {joint} email:cy+tag@example.com") == ids


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("expression", "value", "ids"),
    [
        ("eq", "cy+tag@example.com", [2]),
        ("in", "ada@example.com,cy+tag@example.com", [1, 2]),
        ("like", "%+tag@%", [2]),
        ("isNotNull", "", [1, 2, 3, 4, 5]),
        ("isNull", "", []),
        ("nosuch", "x", [1, 2, 3, 4, 5]),
    ],
)
def test_conditions(finders: dict[str, Api], version: str, expression: str, value: str, ids: list[int]) -> None:
    """A plus is part of an address; an unknown expression is no condition at all."""
    asked = {"where[0][col]": "email", "where[0][expr]": expression, "where[0][val]": value}
    assert found(finders[version], **asked) == ids


@pytest.mark.parametrize("column", ["phone", "city"])
def test_fields_without_a_value_are_null(finders: dict[str, Api], column: str) -> None:
    """Nobody has one."""
    asked = {"where[0][col]": column, "where[0][expr]": "isNotNull"}
    assert found(finders["7.0.0"], **asked) == []


@pytest.mark.parametrize(("version", "ids"), [("5.2.1", []), ("7.0.0", [3])])
def test_an_apostrophe_in_a_condition(finders: dict[str, Api], version: str, ids: list[int]) -> None:
    """Before 7 it finds nobody, for the value is cleaned."""
    asked = {"where[0][col]": "email", "where[0][expr]": "eq", "where[0][val]": "o'neil@example.com"}
    assert found(finders[version], **asked) == ids


@given(st.text(max_size=40), st.sampled_from([5, 7]))
@example("a(b c)", 5)
@example("!a(b c)(", 7)
def test_any_words_are_read(words: str, major: int) -> None:
    """Whatever was typed, it makes terms."""
    for term in parse(words, major):
        assert isinstance(term.said, str)


@given(st.lists(st.from_regex(r"[a-z]{3}[a-z0-9]{0,9}@[a-z]{3,9}\.com", fullmatch=True), min_size=1, max_size=5))
def test_quoted_addresses_are_looked_for_as_they_are(addresses: list[str]) -> None:
    """Joined by OR, each is one term."""
    words = " OR ".join(f'email:"{address}"' for address in addresses)
    assert [(term.command, term.said) for term in parse(words, 7)] == [("email", each) for each in addresses]
    assert [term.either for term in parse(words, 7)] == [False, *[True] * (len(addresses) - 1)]
