from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integration.mautic.access import MauticAccess, Token, root

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://m.example.com", "https://m.example.com"),
        (" https://m.example.com/ ", "https://m.example.com"),
        ("https://m.example.com/mautic//", "https://m.example.com/mautic"),
        ("https://m.example.com//mautic/index.php/", "https://m.example.com/mautic/index.php"),
        ("https://m.example.com/index.php", "https://m.example.com/index.php"),
        ("https://m.example.com/api", "https://m.example.com"),
        ("https://m.example.com/mautic/api/contacts?limit=1", "https://m.example.com/mautic"),
        ("https://m.example.com/s/dashboard#top", "https://m.example.com"),
        ("HTTPS://user:pass@m.example.com:8443/x", "https://m.example.com:8443/x"),
        ("https://m.example.com/shop/apiary", "https://m.example.com/shop/apiary"),
    ],
)
def test_the_root_is_found_in_what_people_paste(written: str, expected: str) -> None:
    assert root(written) == expected


def test_a_token_is_renewed_sixty_seconds_before_it_expires() -> None:
    token = Token("t", NOON + timedelta(seconds=61))
    assert token.lives_until(NOON)
    assert not token.lives_until(NOON + timedelta(seconds=1))


def test_secrets_do_not_show_in_a_repr() -> None:
    access = MauticAccess("https://m.example.com", "basic", "admin", "hunter2", "1_x", "s3cret")
    shown = repr(access) + repr(Token("t0ken", NOON, "r3fresh"))
    assert not [secret for secret in ("hunter2", "s3cret", "t0ken", "r3fresh") if secret in shown]
