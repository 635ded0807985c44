"""The formats of own mapping rows: what is made of a value, and how values fit Mautic's types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integration.mapping.fields import fit
from integration.mapping.formats import Unfit, formatted
from integration.plans import ContactWrite, MauticField


@pytest.mark.parametrize(
    ("form", "argument", "value", "made"),
    [
        ("as_is", "", ["a", "", None, "b"], "a, b"),
        ("as_is", "", 5, 5),
        ("upper", "", "straße", "STRASSE"),
        ("lower", "", "ÀB", "àb"),
        ("date", "", "2026-03-07", "2026-03-07"),
        ("date", "", "2026-03-07T10:00:00", "2026-03-07T10:00:00"),
        ("date", "", "19801231", "1980-12-31"),
        ("date", "", "0" + "946684800", "2000-01-01T00:00:00+00:00"),
        ("date", "DD/MM/YYYY", "7/3/2026", "2026-03-07"),
        ("date", "MM-DD-YYYY", "03-07-2026 10:00", "2026-03-07"),
        ("number", "", "1,234.50 €", "1234.50"),
        ("number", "", "12,5", "12.5"),
        ("number", ",", "1.234,5", "1234.5"),
        ("number", ",", "EUR 7", "7"),
        ("number", "", "-3", "-3"),
        ("number", "", "1'234", "1234"),
        ("yes_no", "", "YES", True),
        ("yes_no", "", False, False),
        ("yes_no", "Ja|Nein", "1", "Ja"),
        ("yes_no", "Ja|Nein", "nein", "Nein"),
        ("list", "", ["a", "b"], "a, b"),
        ("list", "|", ["a", "b"], "a|b"),
        ("list", ";", {"x": "a", "y": ["b", "c"]}, "a; b, c"),
        ("map", "it => Italy\n* => Elsewhere", "IT", "Italy"),
        ("map", "it => Italy\n* => Elsewhere", "DE", "Elsewhere"),
        ("map", "it => Italy", "DE", "DE"),
        ("map", "it =>", "IT", None),
        ("map", "a => x\nb => x", ["a", "b"], "x"),
        ("json", "", {"a": "<b>"}, '{"a":"\\u003cb\\u003e"}'),
        ("json", "", "plain", "plain"),
    ],
)
def test_a_format_makes_a_value(form: str, argument: str, value: Any, made: Any) -> None:
    assert formatted(form, argument, value) == made


@pytest.mark.parametrize(
    ("form", "argument", "value"),
    [
        ("date", "", "soon"),
        ("date", "", "2026-13-40"),
        ("date", "DD/MM/YYYY", "31/02/2026"),
        ("date", "DD/MM/YYYY", "2026-02-01"),
        ("number", "", "1.2.3"),
        ("number", "", "twelve"),
        ("number", "", "9" * 60),
        ("yes_no", "", "maybe"),
    ],
)
def test_a_value_that_is_none_of_its_format_is_unfit(form: str, argument: str, value: Any) -> None:
    with pytest.raises(Unfit):
        formatted(form, argument, value)


def test_json_is_never_cut() -> None:
    field = MauticField("note", "text", "Note", 20)
    long = '{"a":"' + "x" * 40 + '"}'
    write, said = fit(ContactWrite("a@example.com", {"note": long}), {"note": field})
    assert write.fields == {}
    assert [each.kind for each in said] == ["left_out"]
    write, _ = fit(ContactWrite("a@example.com", {"note": long}), {"note": replace(field, limit=60)})
    assert write.fields == {"note": long}


@pytest.mark.parametrize(
    ("kind", "value", "taken"),
    [
        ("url", "example.com/a", "http://example.com/a"),
        ("url", "two words", None),
        ("url", "https://example.com/" + "a" * 60, None),
        ("email", "b@example.com", "b@example.com"),
        ("email", "nobody", None),
        ("time", "9:05", "09:05:00"),
        ("time", "2026-03-07T10:20:30", "10:20:30"),
        ("time", "25:00", None),
        ("timezone", "Europe/Rome", "Europe/Rome"),
        ("timezone", "Rome", None),
        ("locale", "it-IT", "it_IT"),
        ("locale", "Italian", None),
    ],
)
def test_values_fit_the_types_that_no_fixed_row_has(kind: str, value: str, taken: str | None) -> None:
    write, _ = fit(ContactWrite("a@example.com", {"f": value}), {"f": MauticField("f", kind, "F", 64)})
    assert write.fields.get("f") == taken
