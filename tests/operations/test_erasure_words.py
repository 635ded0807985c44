"""The words that a person is found by: in whatever way they are written, and nobody else by them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from integration.operations.erasure.words import ERASED, Words

ADA = {
    "first_name": "Ada",
    "last_name": "Lövelace",
    "phone": "+44 20 7946 0018",
    "address_1": "12 St James's Square",
    "address_2": "Flat B",
}
WORDS = Words.of(["ada@shop.co", "Ada+x@shöp.example"], [ADA])


@pytest.mark.parametrize(
    "said",
    [
        "The record of ADA@shop.co was refused.",
        "GET /api/contacts?search=email%3A%22ada%40shop.co%22",
        json.dumps({"body": json.dumps({"email": "ada@shop.co"})}),
        json.dumps({"email": "ada+x@shöp.example"}),
        json.dumps({"text": "one\nada@shop.co"}),
        quote("Ada Lövelace"),
        "firstname: Ada, lastname: Lövelace",
        json.dumps({"street": "12 St James's Square"}),
        "12 St James&#x27;s Square",
        "call +44 20 7946 0018",
    ],
)
def test_the_person_is_found_and_taken_out(said: str) -> None:
    assert WORDS.are_in(said)
    left = WORDS.erased(said)
    assert ERASED in left and not WORDS.are_in(left)


@pytest.mark.parametrize(
    "said",
    [
        "bada@shop.co was refused.",
        "ada@shop.co.uk was refused.",
        "x-ada@shop.co",
        "Ada Smith ordered.",
        "Flat B",
        "+44 20 7946 00189",
        "Lövelace",
        "Canada and the Lövelaces",
    ],
)
def test_nobody_else_is_found(said: str) -> None:
    assert not WORDS.are_in(said)


def test_the_rest_of_the_name_goes_only_where_the_person_is_told_of() -> None:
    assert WORDS.erased_value({"to": "ada@shop.co", "hello": ["Dear Ada,", 3]}) == {
        "to": ERASED,
        "hello": [f"Dear {ERASED},", 3],
    }


def test_short_and_empty_words_find_nobody() -> None:
    words = Words.of(["x@y.example"], [{"first_name": "A", "last_name": "", "phone": "110", "address_1": "1"}])
    assert not words.are_in("A 110 1")
    assert not Words().are_in("anything") and not Words()


def test_a_database_is_asked_for_every_form_in_small_letters() -> None:
    asked = WORDS.likely()
    assert ("ada@shop.co",) in asked and ("ada%40shop.co",) in asked
    assert ("ada", "lövelace") in asked and ("ada", "l\\u00f6velace") in asked


def test_words_are_the_same_after_they_were_kept() -> None:
    assert Words.from_json(json.loads(json.dumps(WORDS.to_json()))) == WORDS
