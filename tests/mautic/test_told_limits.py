"""The length of a field that a refusal tells: a number of its own, and none of the refused value."""

from __future__ import annotations

import pytest

from integration.mautic.repairs import told_limit

LONG = "g28" + "l" * 70 + "@example.com"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("This value is too long. It should have 64 characters or less.", 64),
        ("It holds up to 64.", 64),
        (f"“{LONG}” is not a valid email.", 0),
        ("“g28llll…@example.com” is too long.", 0),
        (f"{LONG} is longer than 64 characters.", 64),
        ("", 0),
    ],
)
def test_only_a_number_of_its_own_is_a_length(message: str, told: int) -> None:
    assert told_limit(message, LONG) == told
