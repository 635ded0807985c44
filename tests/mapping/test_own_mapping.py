"""A person's own mapping rows: paths, formats, conditions, defaults, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.errors import SettingError
from integration.events import Kind, Origin
from integration.mapping import contacts, field_map, orders
from integration.mapping.fields import check, fit, needs
from integration.mapping.follow_ups import Sighting
from integration.mapping.formats import Unfit, formatted
from integration.mapping.own_checks import checked, describe, difference, remarks
from integration.mapping.own_values import Look, own_values
from integration.mapping.paths import inside
from integration.plans import ContactWrite, MauticField, Plan
from integration.records import Cart, CartLine, Customer, Order
from integration.settings import MappingModule, MappingRow, Modules
from integration.settings.mapping import rows_of
from integration.store import mapped_values, parse, reading
from integration.store.asked import Asked
from integration.streams import asked
from tests.mapping import samples

SEEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
RAW = {
    "id": 7,
    "number": "A-7",
    "status": "completed",
    "currency": "EUR",
    "total": "20.00",
    "customer_note": "Ring &amp; wait",
    "billing": {"email": "ada@example.com", "first_name": "Ada", "city": "Roma"},
    "shipping": {"city": "Torino"},
    "line_items": [
        {"name": "Teapot", "sku": "T1", "quantity": 2, "price": 5},
        {"name": "Cup", "sku": "", "quantity": 1, "price": 10},
    ],
    "meta_data": [
        {"key": "_vat", "value": {"number": "IT1", "countries": ["IT", "SM"]}},
        {"key": "_a.b", "value": "dotted"},
        {"key": "_packed", "value": '{"deep": [{"n": 1}, {"n": 2}]}'},
        {"key": "_birth", "value": "19801231"},
    ],
}


def row(source: str, alias: str = "position", kind: str = "order", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "alias": alias, "source": source, **more}


def modules(*rows: Mapping[str, Any]) -> Modules:
    return Modules(mapping=MappingModule(rows=rows_of(rows)))


def asked_by(settings: Modules, kind: Kind = Kind.ORDER) -> Asked:
    return asked.by(settings)[kind]


def order_of(settings: Modules, raw: Mapping[str, Any] = RAW) -> Order:
    return parse.order(parse.order_change(asked_by(settings).kept(raw), Origin.POLL, SEEN).payload)


def sent(*rows: Mapping[str, Any], raw: Mapping[str, Any] = RAW) -> dict[str, Any]:
    settings = modules(*rows)
    return dict(own_values(order_of(settings, raw), Kind.ORDER, settings).values)


def planned(settings: Modules, record: Order, **more: Any) -> Plan:
    given: dict[str, Any] = {"lifetime": None, "latest": True, "known": True, "seen": Sighting(None, True), **more}
    made = orders.plan(record, settings, **given)
    assert isinstance(made, Plan)
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("shipping.city", "Torino"),
        ("line_items.0.name", "Teapot"),
        ("line_items.name", ["Teapot", "Cup"]),
        ("line_items.9.name", None),
        ("line_items.99999999999.name", None),
        ("meta_data._vat.number", "IT1"),
        ("meta_data._vat.countries.1", "SM"),
        ("meta_data._a.b", "dotted"),
        ("meta_data._packed.deep.n", [1, 2]),
        ("meta_data._packed.deep.0.n.further", None),
        ("meta_data._nothing", None),
        ("nothing.at.all", None),
    ],
)
def test_a_path_leads_into_lists_maps_meta_data_and_json(path: str, value: Any) -> None:
    assert mapped_values.values(RAW, [path]) == {path: value}


def test_an_empty_path_is_the_value_itself() -> None:
    assert inside({"a": 1}, "") == {"a": 1}


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


def test_an_unfit_value_is_left_out_and_said() -> None:
    settings = modules(row("shipping.city", format="date"))
    made = own_values(order_of(settings), Kind.ORDER, settings)
    assert made.values == {}
    assert [each.sentence for each in made.adjustments] == ["“Torino” is no date, so “position” was left out."]


@pytest.mark.parametrize(
    ("condition", "path", "value", "holds"),
    [
        ("equals", "shipping.city", "torino", True),
        ("equals", "shipping.city", "tor", False),
        ("contains", "shipping.city", "ORI", True),
        ("contains", "line_items.sku", "t1", True),
        ("contains", "made.coupons", "x", False),
        ("is_set", "meta_data._vat", "", True),
        ("is_set", "meta_data._nothing", "", False),
        ("not_set", "meta_data._nothing", "", True),
        ("not_set", "billing.city", "", False),
    ],
)
def test_a_row_with_a_condition_is_used_where_it_holds(condition: str, path: str, value: str, holds: bool) -> None:
    given = row("customer_note", condition=condition, condition_path=path, condition_value=value)
    assert sent(given) == ({"position": "Ring & wait"} if holds else {})


def test_of_several_rows_for_one_field_the_first_that_holds_gives_the_value() -> None:
    first = row("shipping.city", condition="equals", condition_path="shipping.city", condition_value="Milano")
    assert sent(first, row("billing.city")) == {"position": "Roma"}
    assert sent({**first, "condition_value": "Torino"}, row("billing.city")) == {"position": "Torino"}


def test_a_blank_value_keeps_the_field_empties_it_or_takes_the_default() -> None:
    assert sent(row("meta_data._nothing")) == {}
    assert sent(row("meta_data._nothing", empties=True)) == {"position": ""}
    assert sent(row("meta_data._nothing", default="None", empties=True)) == {"position": "None"}
    assert sent(row("made.coupons", default="None")) == {"position": "None"}


def test_values_are_made_of_the_whole_record() -> None:
    rows = [
        row("made.items_text", "a"),
        row("made.item_count", "b"),
        row("made.item_skus", "c", format="list", argument="|"),
        row("made.order_number", "d"),
        row("made.net_total", "e"),
        row("made.item_names", "f", format="json"),
    ]
    assert sent(*rows) == {
        "a": "2 × Teapot, 1 × Cup",
        "b": 3,
        "c": "T1",
        "d": "A-7",
        "e": "20.00",
        "f": '["Teapot","Cup"]',
    }
    cart = Cart(1, "a@example.com", "EUR", parse.Decimal(20), (CartLine("Teapot", 3, price=parse.Decimal(20)),))
    settings = modules(
        row("made.items_text", "a", "abandoned_cart"),
        row("lines.name", "b", "abandoned_cart", format="list"),
        row("total", "c", "abandoned_cart", format="number"),
    )
    assert own_values(cart, Kind.CART, settings).values == {"a": "1 × Teapot", "b": "Teapot", "c": "20"}
    person = Customer(1, "a@example.com", "Ada", "", created_at=SEEN)
    settings = modules(row("made.full_name", "a", "contact"), row("made.registered_on", "b", "contact"))
    assert own_values(person, Kind.CONTACT, settings).values == {"a": "Ada", "b": "2026-11-20"}


def test_what_was_not_asked_of_the_store_leaves_mautic_as_it_is() -> None:
    settings = modules(row("meta_data._vat", default="None"), row("shipping.city", "city"))
    old = parse.order(parse.order_change(RAW, Origin.POLL, SEEN).payload)
    assert own_values(old, Kind.ORDER, settings).values == {}
    assert Look(old).at(field_map.own(Kind.ORDER, settings)[0]).how == "unread"


def test_a_kept_payload_is_slimmed_again_without_losing_what_was_mapped() -> None:
    settings = modules(row("meta_data._vat.number"))
    once = parse.order_change(asked_by(settings).kept(RAW), Origin.POLL, SEEN)
    again = parse.order_change(asked_by(settings).kept(once.payload), Origin.POLL, SEEN)
    assert again.payload == once.payload
    assert again.payload["mapped"] == {"meta_data._vat.number": "IT1"}


def test_the_store_is_asked_for_what_own_rows_look_at_and_for_nothing_else() -> None:
    settings = modules(
        row("meta_data._vat"),
        row("billing.city", "city", condition="is_set", condition_path="shipping_lines.0.method_title"),
        row("avatar_url", kind="contact"),
        row("made.items_text", "a"),
    )
    plain = set(reading.order_fields().split(","))
    assert asked_by(settings).paths == ("meta_data._vat", "shipping_lines.0.method_title")
    assert set(reading.order_fields(asked_by(settings)).split(",")) - plain == {"meta_data", "shipping_lines"}
    assert "avatar_url" in reading.customer_fields(asked_by(settings, Kind.CONTACT)).split(",")


def test_a_huge_value_is_not_kept_whole() -> None:
    huge = {"meta_data": [{"key": "k", "value": "x" * 100_000}, {"key": "l", "value": ["y" * 100] * 900}]}
    found = mapped_values.values(huge, ["meta_data.k", "meta_data.l"])
    assert (len(found["meta_data.k"]), found["meta_data.l"]) == (65_535, None)


def test_an_own_row_goes_before_the_fixed_one_and_where_it_gives_nothing_that_one_is_sent() -> None:
    settings = modules(row("shipping.city", "city"))
    assert planned(settings, order_of(settings)).contact.fields["city"] == "Torino"
    bare = {**RAW, "shipping": {}}
    assert planned(settings, order_of(settings, bare)).contact.fields["city"] == "Roma"
    own = modules(row("billing.city", "city", "contact", format="upper"))
    person = parse.customer({"id": 3, "email": "a@example.com", "billing": {"city": "Roma"}})
    made = contacts.plan(person, own.contacts, mapping=own.mapping)
    assert isinstance(made, Plan)
    assert made.contact.fields["city"] == "ROMA"


def test_only_the_newest_order_writes_own_fields_and_an_older_one_leaves_them_alone() -> None:
    settings = modules(row("shipping.city", "city"))
    older = planned(settings, order_of(settings), latest=False, named=True)
    assert "city" not in older.contact.fields
    assert older.contact.fields["zipcode"] == ""


def test_rows_of_another_kind_are_not_looked_at() -> None:
    settings = modules(row("shipping.city", kind="contact"))
    assert own_values(order_of(modules()), Kind.ORDER, settings).values == {}


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
