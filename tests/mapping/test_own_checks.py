"""What is refused and remarked of own mapping rows: as they stand, and by Mautic's own list of fields."""

from __future__ import annotations

from typing import Any

import pytest

from integration.errors import SettingError
from integration.mapping.fields import check, needs
from integration.mapping.own_checks import checked, describe, difference, remarks
from integration.plans import MauticField
from integration.settings import MappingModule, MappingRow, Modules
from integration.settings.mapping import rows_of
from tests.mapping import samples
from tests.mapping.own_rows import modules, row


@pytest.mark.parametrize(
    ("given", "name", "word"),
    [
        (row("x", "email"), "alias", "how a contact is found"),
        (row("x", ""), "alias", "No field of Mautic is chosen"),
        (row("x", "Not an alias"), "alias", "no alias"),
        (row(""), "source", "No value of the store"),
        (row("a..b"), "source", "no path"),
        (row("a."), "source", "no path"),
        (row(".a"), "source", "no path"),
        (row("1a"), "source", "no path"),
        (row("meta_data"), "source", "key of the meta data is missing"),
        (row("meta_data._mautic_woo_score"), "source", "go round in a circle"),
        (row("meta_data.Mautic_Woo_score"), "source", "go round in a circle"),
        (row("made.nothing"), "source", "There is no value"),
        (row("x", format="nothing"), "format", "not one of the choices"),
        (row("x", format="map"), "argument", "Nothing is replaced"),
        (row("x", format="map", argument="a"), "argument", "replaced by what"),
        (row("x", format="map", argument="a=>b\nA=>c"), "argument", "replaced twice"),
        (row("x", format="date", argument="DD/DD/YYYY"), "argument", "no form of a date"),
        (row("x", format="number", argument="x"), "argument", "point or a comma"),
        (row("x", format="yes_no", argument="one"), "argument", "Two words"),
        (row("x", format="list", argument="a\nb"), "argument", "more than one line"),
        (row("x", condition="equals", condition_path="y"), "condition_value", "nothing to compare"),
        (row("x", condition="is_set"), "condition_path", "No value of the store"),
        (row("x", condition="is_set", condition_path="meta_data._mautic_woo_x"), "condition_path", "circle"),
        (row("x", default="a\x00b"), "default", "does not show"),
        (row("x", surplus=1), "surplus", "no setting"),
    ],
)
def test_a_row_that_cannot_be_used_names_its_field(given: dict[str, Any], name: str, word: str) -> None:
    with pytest.raises(SettingError) as caught:
        rows_of([row("billing.city"), given])
    assert caught.value.name == f"rows.1.{name}"
    assert word in caught.value.sentence
    assert caught.value.sentence.startswith("Row 2: ")


def test_a_second_row_for_a_field_is_refused_unless_the_first_is_for_some_records_only() -> None:
    some = {"condition": "is_set", "condition_path": "y"}
    fine = modules(row("a", **some), row("b"))
    assert not fine.mapping.contradictions()
    for pair in ([row("a"), row("b")], [row("a"), row("b", **some)], [row("a", **some), row("b", **some)]):
        [error] = modules(*pair).mapping.contradictions()
        assert error.name == "rows.1.alias"
    assert not modules(row("a"), row("b", kind="contact")).mapping.contradictions()


def test_stored_rows_that_cannot_be_read_cost_the_others_nothing() -> None:
    kept = MappingModule.from_json({"rows": [row("a"), {"kind": "order"}, "x", row("b", "city")]})
    assert [each.source for each in kept.rows] == ["a", "b"]
    assert MappingModule.from_json({"rows": "x"}).rows == MappingModule.from_json(None).rows == ()


FIELDS = {
    **samples.fields(),
    "size": MauticField("size", "select", "Size", None, ("S", "M")),
    "member": MauticField("member", "text", "Member", 10, unique=True),
    "hidden": MauticField("hidden", "text", "Hidden", 10, published=False),
    "must": MauticField("must", "text", "Must", 10, required=True),
    "sizes": MauticField("sizes", "multiselect", "Sizes", None, ("S", "M")),
}


@pytest.mark.parametrize(
    ("given", "kind", "word"),
    [
        (row("x", "member"), "bad", "unique identifier"),
        (row("x", "gone"), "bad", "has no field “gone”"),
        (row("x", "mautic_woo_order_data"), "bad", "filled by woo-mautic itself"),
        (row("x", "size", default="XL"), "bad", "not in Mautic's list"),
        (row("x", "must", default="far too long for it"), "bad", "shortened"),
        (row("x", "hidden"), "warn", "not published"),
        (row("x", "must"), "warn", "is required"),
        (row("x", "size", format="map", argument="a => XL"), "warn", "has no “XL”"),
        (row("x", "position", field_type="number"), "warn", "was a number field"),
        (row("x", "position", field_type="text", field_limit=100), "warn", "held 100 characters and holds 64"),
        (row("x", "sizes"), "info", "several choices"),
        (row("x", "city"), "info", "goes before it"),
    ],
)
def test_a_row_is_judged_by_mautics_own_list(given: dict[str, Any], kind: str, word: str) -> None:
    [mapped] = rows_of([given])
    assert any(each.kind == kind and word in each.sentence for each in remarks(mapped, FIELDS))


def test_a_good_row_has_no_remarks() -> None:
    [mapped] = rows_of([row("x", "position", field_type="text", field_limit=64)])
    assert remarks(mapped, FIELDS) == []


def test_rows_are_checked_when_they_are_saved_and_remember_the_fields_of_that_day() -> None:
    after = checked(Modules(), modules(row("x")), FIELDS)
    assert (after.mapping.rows[0].field_type, after.mapping.rows[0].field_limit) == ("text", 64)
    with pytest.raises(SettingError) as caught:
        checked(Modules(), modules(row("x"), row("x", "gone")), FIELDS)
    assert caught.value.name == "rows.1.alias"
    with pytest.raises(SettingError):
        checked(Modules(), modules(row("x")), {})


def test_a_row_whose_field_was_lost_since_keeps_no_other_row_waiting() -> None:
    before = checked(Modules(), modules(row("x")), FIELDS)
    left = {alias: field for alias, field in FIELDS.items() if alias != "position"}
    after = checked(before, modules(row("x"), row("y", "zipcode")), left)
    assert [each.alias for each in after.mapping.rows] == ["position", "zipcode"]


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ({}, "missing"),
        ({"position": MauticField("position", "number", "Position", None)}, "wrong_type"),
        ({"position": MauticField("position", "text", "Position", 20)}, "too_short"),
        ({"position": MauticField("position", "text", "Position", published=False)}, "unpublished"),
        ({"position": MauticField("position", "text", "Position", 191)}, "present"),
    ],
)
def test_a_field_lost_in_mautic_is_found(now: dict[str, MauticField], state: str) -> None:
    saved = checked(Modules(), modules(row("x")), FIELDS)
    [found] = [each for each in check(needs(saved), now) if each.need.own]
    assert found.state == state


def test_rows_and_their_differences_are_said_in_words() -> None:
    given = row(
        "made.coupons",
        format="list",
        argument="|",
        default="none",
        condition="equals",
        condition_path="currency",
        condition_value="EUR",
    )
    [first] = rows_of([given])
    assert describe(first) == "Coupons, a list as List, joined (|), “none” when blank, only if currency is “EUR”"
    [second] = rows_of([row("currency")])
    assert difference([first], [second]) == {"order → position": [describe(first), "currency"]}
    assert difference([first], []) == {"order → position": [describe(first), None]}
    assert isinstance(first, MappingRow)
