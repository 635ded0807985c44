"""Tokens of links: one for each cart, the same each time, and never in a log."""

from __future__ import annotations

from datetime import timedelta

from integration.carts import links, restoring
from integration.digests import digest
from integration.masking import mask_text
from integration.models import Cart
from integration.models.vault import Vault
from tests.conftest import NOON

VAULT = Vault("k" * 32)


def token(number: int = 1, at: int = 0, vault: Vault = VAULT) -> str:
    return links.token_of(vault, Cart(connector_id=1, id=number, created_at=NOON + timedelta(seconds=at)))


def test_a_cart_has_one_token_and_no_other_cart_or_installation_has_it() -> None:
    assert len(token()) == 32
    assert token() == token()
    assert len({token(), token(2), token(1, 1), token(vault=Vault("other" * 8))}) == 4
    assert token() not in digest(token())


def test_a_link_and_a_code_are_masked_wherever_they_are_written() -> None:
    code = restoring.code_of("k" * 32, NOON, 7)
    url = links.url_of("https://our.example/", token())
    for secret, text in (
        (token(), f"GET {url} 302"),
        (token(), f"/recover/{token()}?utm=1"),
        (token(), f"next=%2Frecover%2F{token()}"),
        (code, f"GET /carts/key/restore/{code} 200"),
        (code, f"https://shop.example/checkout/?utm_source=mautic#woo-mautic-cart={code}"),
    ):
        assert secret not in mask_text(text)
    assert mask_text("Location: https://shop.example/checkout/?session=eyJ0.abc.def&utm_source=mautic").endswith(
        "session=***&utm_source=mautic"
    )


def test_a_code_of_another_key_or_of_another_time_is_none() -> None:
    code = restoring.code_of("k" * 32, NOON, 7)
    assert restoring.cart_id_of("k" * 32, NOON, code) == 7
    assert restoring.cart_id_of("x" * 32, NOON, code) is None
    assert restoring.cart_id_of("k" * 32, NOON + timedelta(minutes=15, seconds=1), code) is None
    assert restoring.cart_id_of("k" * 32, NOON, "nonsense") is None
