"""The forms in which what Mautic holds may have been sent: each of them is alike to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from integration.mapping.values import fit_value
from integration.mautic.same_value import alike, forms, plain
from integration.plans import MauticField

TYPES = ("", "text", "textarea", "html", "number", "boolean", "date", "datetime", "time", "url", "email", "tel",
         "select", "multiselect", "country", "region", "locale", "timezone", "lookup")  # fmt: skip
HELD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=False, places=2).map(str),
    st.datetimes().map(str),
    st.dates().map(str),
    st.sampled_from(["", " ", "0", "0.00", "1", "yes", "<b>", "&nbsp;", "a|b", "2026-11-01T09:00:00+00:00", "[]"]),
    st.text(max_size=20),
    st.just([]),
    st.lists(st.text(max_size=3), max_size=2),
)


@settings(max_examples=500, deadline=None)
@given(held=HELD, kind=st.sampled_from(TYPES), spaces=st.sampled_from(["", " ", "\n"]))
def test_each_form_is_alike_to_what_is_held(held: Any, kind: str, spaces: str) -> None:
    field = {"type": kind}
    for form in forms(held, field):
        assert alike(form, held, field), form
        if isinstance(form, str) and kind not in ("number", "boolean", "date", "datetime"):
            assert alike(f"{spaces}{form}{spaces}", held, field), "texts are remembered as plain ones"
            assert alike(plain(form), held, field)


@pytest.mark.parametrize(
    ("kind", "sent", "held"),
    [
        ("number", "12.50", "12.5"),
        ("number", 19, 19.0),
        ("boolean", True, "1"),
        ("boolean", False, None),
        ("date", "2026-11-01", "2026-11-01"),
        ("datetime", "2026-11-01T10:00:00+01:00", "2026-11-01T09:00:00+00:00"),
        ("text", "  Müg &amp; Co ", "Müg &amp; Co"),
        ("text", "", None),
        ("text", "00000", None),
        ("country", "Italy", "Italy"),
    ],
)
def test_what_was_sent_is_among_the_forms(kind: str, sent: Any, held: Any) -> None:
    fitted, _ = fit_value(MauticField("field", kind), sent)
    assert fitted in [each for each in forms(held, {"type": kind}) if type(each) is type(fitted)]


@pytest.mark.parametrize(
    ("kind", "held"), [("multiselect", "a|b"), ("email", "a@b.c"), ("number", "much"), ("date", "?")]
)
def test_of_what_is_not_certain_no_form_is_told(kind: str, held: Any) -> None:
    assert forms(held, {"type": kind}) == ()
