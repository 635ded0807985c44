from __future__ import annotations

import pytest

from integration.errors import MappingError
from integration.mapping.emails import fit_email
from integration.plans import MauticField

EMAIL = MauticField("email", "email")


@pytest.mark.parametrize(
    "email",
    ["a@example.com", "plus+tag@example.com", "shaun.o'neil@example.com", "max15@xn--mnchen-3ya.de", "a_b-c@x.co.uk"],
)
def test_033_034_ordinary_addresses_pass_unchanged(email):
    assert fit_email(email, EMAIL) == (email, ())


def test_blanks_around_are_nothing_to_talk_about():
    assert fit_email("  A@Example.com\n", EMAIL) == ("A@Example.com", ())


def test_032_a_domain_with_other_letters_goes_in_ascii_and_is_said():
    email, (said,) = fit_email("max@bücher.example", EMAIL)
    assert email == "max@xn--bcher-kva.example"
    assert (said.field, said.kind) == ("email", "changed")


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("", "no_email"),
        ("   ", "no_email"),
        ("not-an-email", "email_invalid"),
        ("a@localhost", "email_invalid"),
        ("@example.com", "email_invalid"),
        ("a@b@example.com", "email_invalid"),
        ("a@.", "email_invalid"),
        ("a@\ud800.example", "email_invalid"),
        ("jörg@example.com", "email_characters"),
        ("a&b@example.com", "email_characters"),
        ("a^b@example.com", "email_characters"),
        ("a*b@example.com", "email_characters"),
        ("a%b@example.com", "email_characters"),
        ("a b@example.com", "email_characters"),
        ("a,b@example.com", "email_characters"),
        ("a/b@example.com", "email_characters"),
        ("\ud800@example.com", "email_characters"),
        ("a" * 53 + "@example.com", "email_too_long"),
    ],
)
def test_what_mautic_would_refuse_or_mangle_is_refused_before(email, code):
    with pytest.raises(MappingError) as caught:
        fit_email(email, EMAIL)
    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    str(caught.value).encode()


def test_065_066_an_untold_limit_is_mautics_to_judge():
    email = "a" * 53 + "@example.com"
    assert fit_email(email[1:], None)[0] == email[1:]
    assert fit_email(email, MauticField("email", "email", limit=191))[0] == email
    assert fit_email(email, MauticField("email", "email", limit=None))[0] == email
    assert fit_email(email, None)[0] == email
    with pytest.raises(MappingError):
        fit_email(email, MauticField("email", "email", limit=64))
