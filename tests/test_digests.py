"""Digests of the store's rows: the same row gives the same digest, however it came to be, and another one another."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, strategies as st

from integration.digests import row_digest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ROWS = st.dictionaries(st.text(), VALUES, max_size=6)


@given(ROWS)
def test_a_row_that_is_read_twice_has_one_digest(row: dict[str, Any]) -> None:
    text = json.dumps([row, row])
    one, other = json.loads(text)
    assert row_digest(one) == row_digest(other) == row_digest(json.loads(text)[0]) == row_digest(row)


@given(ROWS, ROWS)
def test_rows_that_differ_have_digests_that_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (row_digest(one) == row_digest(other)) == (json.dumps(one) == json.dumps(other))


def test_a_half_surrogate_and_a_number_beyond_all_columns_are_taken() -> None:
    assert row_digest({"id": 10**40, "note": "\ud83d"}) != row_digest({"id": 10**40, "note": "?"})
