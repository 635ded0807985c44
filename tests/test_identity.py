"""One mailbox has one key, whatever its address looks like; two mailboxes have two."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from integration.errors import MappingError
from integration.identity import first_version_key, is_first_version_key_shared, normalise_email, person_key_of, visible
from integration.mapping.emails import fit_email
from integration.plans import MauticField

ANY_LENGTH = MauticField("email", "email", limit=None)
UNSEEN = "\u200b\u200e\u200f\u202a\u202b\u202c\u2060\u2066\ufeff\u00ad\u180e\ufe0f\x00\x7f\U000e0041"
BLANKS = " \t\n\r\u00a0\u3000\u2003"

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789._+-", min_size=1, max_size=12)
hosts = st.sampled_from(
    ("example.com", "a.example.co.uk", "bücher.example", "faß.example", "почта.рф", "例え.jp", "نامه\u200cای.example")
)
plain = st.builds(lambda word, host: f"{word}@{host}", words, hosts)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """An address, and the same mailbox written in another way."""
    address = draw(plain)
    local, _, host = address.partition("@")
    dotted = host if host.isascii() else host.replace(".", "。")
    other = draw(st.sampled_from((host, normalise_email(f"x@{host}")[2:], dotted)))
    local = "".join(draw(st.sampled_from((letter, letter.upper()))) for letter in local)
    letters = list(f"{local}@{other}")
    for hidden in draw(st.text(UNSEEN, max_size=4)):
        letters.insert(draw(st.integers(0, len(letters))), hidden)
    around = st.text(BLANKS + UNSEEN, max_size=3)
    return address, draw(around) + "".join(letters) + draw(around)


@given(spellings())
def test_every_spelling_of_a_mailbox_has_its_key(pair):
    address, other = pair
    assert person_key_of(other) == person_key_of(address)


@given(spellings())
def test_what_is_sent_has_the_key_of_what_the_store_has(pair):
    _, other = pair
    try:
        sent, _ = fit_email(other, ANY_LENGTH)
    except MappingError:
        return
    assert person_key_of(sent) == person_key_of(other)
    assert sent.isascii()


odd = st.text("@.\u200d\u200c\u0130ΣςßẞĳK\ud800\u0301aA ", max_size=12)


@given(st.text() | odd | spellings().map(lambda pair: pair[1]))
def test_any_text_at_all_has_a_key_and_normalising_twice_changes_nothing(text):
    once = normalise_email(text)
    assert normalise_email(once) == once
    assert len(person_key_of(text)) == 32
    assert normalise_email(visible(text)) == once


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a@",
        "@\ud800",
        "\ud800@\udfff.example",
        "ü" * 1_000_000 + "@example.com",
        "a@" + "ü" * 1_000_000,
        "\u0301\u0323" * 500_000,
        "a@" + "\u200d" * 1_000_000 + "b.example",
        "a@ü.." * 1000,
        "a@xn--.xn--a",
    ],
    ids=range(11),
)
def test_nonsense_has_a_key_too(text):
    assert len(person_key_of(text)) == 32
    assert normalise_email(normalise_email(text)) == normalise_email(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("straße@example.com", "strasse@example.com"),
        ("a@faß.example", "a@fass.example"),
        ("a@\u0430pple.example", "a@apple.example"),
        ("\u0430nna@example.com", "anna@example.com"),
        ("ann\u0131@example.com", "anni@example.com"),
        ("\ufb01n@example.com", "fin@example.com"),
        ("a.b@example.com", "ab@example.com"),
        ("a+shop@example.com", "a@example.com"),
        ("a@example.com", "a@example.co"),
        ("a b@example.com", "ab@example.com"),
        ("a@نامه\u200cای.example", "a@نامهای.example"),
    ],
)
def test_what_only_looks_alike_is_another_mailbox(one, other):
    assert person_key_of(one) != person_key_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max@bücher.example", "max@xn--bcher-kva.example"),
        ("max@BÜCHER.example", "max@bu\u0308cher.example"),
        ("max@faß.example", "MAX@xn--fa-hia.EXAMPLE"),
        ("max@ex\u200cample.com", "max@example.com"),
        ("\u202amax@example.com\u202c", "max@example.com"),
        ("ma\u00adx@example.com", "max@example.com"),
        ("max@example.com\u00a0", "max@example.com"),
        ("JOSÉ@example.com", "jose\u0301@example.com"),
    ],
)
def test_the_same_mailbox_in_other_letters(one, other):
    assert person_key_of(one) == person_key_of(other)


@given(words, st.sampled_from(("example.com", "a.b.co.uk", "xn--bcher-kva.example")))
def test_plain_addresses_keep_the_key_of_the_first_version(word, host):
    for address in (f"{word}@{host}", f" {word.upper()}@{host}\n"):
        assert person_key_of(address) == first_version_key(address)
        assert not is_first_version_key_shared(address)


def test_a_key_of_the_first_version_that_two_mailboxes_had_is_told():
    assert first_version_key("a@faß.example") == first_version_key("a@fass.example") == person_key_of("a@fass.example")
    assert is_first_version_key_shared("a@faß.example")
    assert not is_first_version_key_shared("max@bücher.example")
    assert not is_first_version_key_shared("ma\u200bx@example.com")


def test_characters_that_cannot_be_seen_are_taken_out_and_said():
    sent, (said,) = fit_email("\ufeffma\u200bx@example.com", None)
    assert sent == "max@example.com"
    assert (said.field, said.kind) == ("email", "changed")
    assert "max@example.com" in said.sentence


def test_both_kinds_of_change_are_said():
    sent, said = fit_email("ma\u200bx@bücher.example", None)
    assert sent == "max@xn--bcher-kva.example"
    assert len(said) == 2


def test_an_address_of_nothing_that_can_be_seen_is_none():
    with pytest.raises(MappingError) as caught:
        fit_email("\u200b\ufeff", None)
    assert caught.value.code == "no_email"
