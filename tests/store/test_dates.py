"""The store's dates: whatever PHP writes for none is none, and nothing that is no date breaks anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from integration.errors import MappingError
from integration.store.dates import lenient, moment

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "value",
    [None, False, "", " ", [], {}, 0, "0", "0000-00-00 00:00:00", "0000-00-00T00:00:00", "-0001-11-30T00:00:00"],
)
def test_what_php_writes_for_no_date_is_none(value: Any) -> None:
    assert moment(value, "date_modified_gmt") is None
    assert lenient(value) is None


@pytest.mark.parametrize("value", ["soon", "0001-01-01T00:00:00", "9999-12-31T23:59:59", 1.5, "2026-13-01", "x" * 5000])
def test_what_is_no_date_is_said_where_it_matters_and_passed_over_where_not(value: Any) -> None:
    with pytest.raises(MappingError, match="in date_paid_gmt is no date"):
        moment(value, "date_paid_gmt")
    assert lenient(value) is None


@pytest.mark.parametrize("text", ["2026-11-20T10:00:00", "2026-11-20 10:00:00", "2026-11-20T10:00:00Z"])
def test_a_date_is_read_as_utc(text: str) -> None:
    assert moment(text, "date") == lenient(text) == datetime(2026, 11, 20, 10, tzinfo=UTC)


@given(_JSON)
def test_nothing_makes_the_lenient_reader_raise(value: Any) -> None:
    at = lenient(value)
    assert at is None or at.tzinfo is not None
