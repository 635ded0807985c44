"""What is read of a filled-in form, and what tells a person from a program."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from integration.settings import SubscribeModule
from integration.subscriptions.filled import Filled, is_address
from integration.subscriptions.stamps import FASTEST_S, OLDEST_S, Age, Stamps
from tests.conftest import NOON

STAMPS = Stamps("s" * 32, "key")


@pytest.mark.parametrize(
    ("email", "good"),
    [
        ("anna@shop.example", True),
        ("Anna+news@müller.de", True),
        ("anna@shop", False),
        ("anna@shop..de", False),
        ("anna@", False),
        ("", False),
        ("jürgen@shop.example", False),
        ("anna@shop.example, bert@shop.example", False),
        ("anna@shop.example\nBcc: bert@shop.example", False),
        (f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.de", False),
    ],
)
def test_an_address_is_one_that_mautic_takes(email: str, good: bool) -> None:
    assert is_address(email) is good


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Anna  Maria ", "Anna Maria"),
        ("<b>Anna</b>", "b Anna /b"),
        ("{contactfield=phone}", "contactfield=phone"),
        ("A\x00n\u202en\na", "An n a"),
        ("x" * 1000, "x" * 100),
        (["Anna"], ""),
        (None, ""),
    ],
)
def test_a_name_holds_no_markup_and_no_token_of_an_email(typed: Any, kept: str) -> None:
    assert Filled.model_validate({"first_name": typed}).first_name == kept


@pytest.mark.parametrize(
    ("values", "program"),
    [
        ({"first_name": "Anna", "last_name": "O’Hara-Łuś"}, False),
        ({"website": "https://spam.example"}, True),
        ({"last_name": "Win at https://spam.example"}, True),
        ({"first_name": "WWW.spam.example"}, True),
    ],
)
def test_a_program_is_known_by_what_it_writes(values: dict[str, str], program: bool) -> None:
    assert Filled.model_validate(values).is_of_a_program is program


@pytest.mark.parametrize("consent", [None, False, "", "0", "yes", 1])
def test_only_a_ticked_box_is_a_consent(consent: Any) -> None:
    module = SubscribeModule(consent_missing="Bitte ankreuzen.")
    filled = Filled.model_validate({"email": "anna@shop.example", "consent": consent})
    assert filled.mistakes(module) == {"consent": "Bitte ankreuzen."}


def test_of_the_page_only_its_address_is_kept() -> None:
    assert (
        Filled.model_validate({"page": "https://shop.example/news?mail=a@b.de#x"}).page == "https://shop.example/news"
    )
    assert Filled.model_validate({"page": "javascript:alert(1)"}).page == ""


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, Age.TOO_FAST),
        (FASTEST_S - 1, Age.TOO_FAST),
        (FASTEST_S, Age.GOOD),
        (OLDEST_S, Age.GOOD),
        (OLDEST_S + 1, Age.TOO_OLD),
    ],
)
def test_a_stamp_tells_how_long_the_form_was_open(seconds: int, age: Age) -> None:
    stamp = STAMPS.make(NOON, "Ich möchte 👍")
    assert STAMPS.read(stamp, NOON + timedelta(seconds=seconds)) == (age, "Ich möchte 👍")


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "x",
        "a.b.c",
        Stamps("t" * 32, "key").make(NOON, "Yes."),
        Stamps("s" * 32, "other").make(NOON, "Yes."),
        STAMPS.make(NOON, "Yes.")[:-1],
    ],
)
def test_nobody_else_makes_a_stamp(stamp: str) -> None:
    assert STAMPS.read(stamp, NOON + timedelta(minutes=1))[0] is Age.FORGED
