from __future__ import annotations

from dataclasses import replace

import pytest

from integration.mapping import aliases
from integration.mapping.field_map import address_aliases
from integration.mapping.fields import check, fit, needs
from integration.plans import ContactWrite, MauticField, Value
from integration.settings import Modules
from tests.mapping import samples

MODULES = Modules()
ADDRESS = address_aliases()


def fitted(alias: str, value: Value, field: MauticField | None = None) -> tuple[Value, list[tuple[str, str]]]:
    """Return the value that is sent for one field, None without, and what was said."""
    known = samples.fields() | ({field.alias: field} if field else {})
    write, adjustments = fit(ContactWrite("a@example.com", {alias: value}), known)
    assert all(a.sentence.endswith(".") for a in adjustments)
    return (next(iter(write.fields.values()), None), [(a.field, a.kind) for a in adjustments])


def test_p70_needs_are_named_as_mautic_will_name_them():
    assert [(need.alias, need.type) for need in needs(MODULES)] == [
        ("mautic_woo_order_data", "textarea"),
        ("mautic_woo_total_spent", "number"),
        ("mautic_woo_order_count", "number"),
        ("mautic_woo_last_order_dat", "date"),
        ("mautic_woo_first_order_da", "date"),
        ("mautic_woo_avg_order_valu", "number"),
    ]


def test_p70_only_enabled_parts_need_fields():
    assert needs(MODULES.with_value("orders.enabled", "no")) == ()
    assert [n.alias for n in needs(MODULES.with_value("orders.lifetime", "no"))] == ["mautic_woo_order_data"]
    assert "mautic_woo_order_data" not in [n.alias for n in needs(MODULES.with_value("orders.order_data", "no"))]


@pytest.mark.parametrize(
    ("field", "state"),
    [
        (MauticField("mautic_woo_order_data", "textarea", limit=None), "present"),
        (MauticField("mautic_woo_order_data", "text", limit=191), "too_short"),
        (MauticField("mautic_woo_order_data", "number", limit=None), "wrong_type"),
        (MauticField("mautic_woo_order_data", "textarea", limit=None, published=False), "unpublished"),
        (MauticField("something_else", "textarea", limit=None), "missing"),
    ],
)
def test_p70_the_check_tells_what_is_wrong_with_a_field(field, state):
    (found,) = check(needs(MODULES)[:1], {field.alias: field})
    assert found.state == state
    assert found.sentence.endswith(".")
    assert (found.field is None) is (state == "missing")


def test_260_a_field_is_found_under_the_alias_that_mautic_cut():
    wanted = ["mautic_woo_last_order_date", "mautic_woo_order_data", "nowhere"]
    assert [aliases.actual(alias, samples.fields()) for alias in wanted] == [
        "mautic_woo_last_order_dat",
        "mautic_woo_order_data",
        None,
    ]
    assert all(aliases.actual(need.alias, samples.fields()) == need.alias for need in needs(MODULES))


def test_260_a_value_goes_under_the_alias_that_mautic_cut():
    write, _ = fit(ContactWrite("a@example.com", {"mautic_woo_last_order_date": "2026-03-07"}), samples.fields())
    assert write.fields == {"mautic_woo_last_order_dat": "2026-03-07"}


def test_041_a_field_that_mautic_does_not_have_is_left_out_and_said():
    assert fitted("favourite_colour", "red") == (None, [("favourite_colour", "no_field")])
    assert fitted("favourite_colour", "") == (None, [])


def test_an_unpublished_field_is_left_out_and_said():
    field = MauticField("city", "text", "City", published=False)
    assert fitted("city", "Rome", field) == (None, [("city", "left_out")])


@pytest.mark.parametrize("value", [0, 0.0, "0", "0.00", "00000", " 0 ", False])
def test_110_283_a_number_that_is_zero_is_an_empty_field(value):
    assert fitted("mautic_woo_total_spent", value) == ("", [])


@pytest.mark.parametrize("value", [0.5, "0.99", -0.5, "0.02"])
def test_a_value_below_1_goes_to_a_new_contact_and_empties_the_field_of_a_known_one(value):
    alias = "mautic_woo_total_spent"
    assert fitted(alias, value) == (float(value), [])
    _, said = fit(ContactWrite("a@example.com", {alias: value}), samples.fields(), known=True)
    assert [(a.field, a.kind) for a in said] == [(alias, "changed")] and "was emptied" in said[0].sentence


@pytest.mark.parametrize("value", ["0", "00000", "<b>0</b>", " 0 ", "0.5"])
def test_110_a_text_that_php_calls_zero_is_no_value_of_a_known_contact(value):
    assert fitted("zipcode", value)[0] in ("0", "00000", "0.5")
    _, said = fit(ContactWrite("a@example.com", {"zipcode": value}), samples.fields(), known=True)
    assert "was emptied" in said[-1].sentence


def test_288_289_booleans_keep_their_zero():
    field = MauticField("member", "boolean", "Member", None)
    assert [fitted("member", value, field)[0] for value in (False, 0, "no", True, "yes")] == [
        *(False, False, False, True, True),
    ]
    assert fitted("member", "maybe", field) == (None, [("member", "left_out")])


@pytest.mark.parametrize(
    ("value", "sent"),
    [(12, 12), (12.5, 12.5), ("12.345", 12.345), ("1,50", 1.5), (434403.87, 434403.87), (True, 1), (3.0, 3), (-4, -4)],
)
def test_274_281_numbers(value, sent):
    assert fitted("mautic_woo_total_spent", value) == (sent, [])


@pytest.mark.parametrize("value", ["abc", 1e20, -1e-5, 1.29e-187, "nan", "inf", "1.2.3"])
def test_280_282_numbers_that_mautic_refuses_are_left_out_and_said(value):
    assert fitted("mautic_woo_total_spent", value) == (None, [("mautic_woo_total_spent", "left_out")])


@pytest.mark.parametrize(
    ("value", "sent"), [("2026-03-07", "2026-03-07"), ("2026-03-07T23:59:59+00:00", "2026-03-07"), ("2026-13-45", None)]
)
def test_279_dates(value, sent):
    assert fitted("mautic_woo_last_order_date", value)[0] == sent


def test_276_277_datetimes_go_in_utc():
    field = MauticField("seen_at", "datetime", "Seen", None)
    assert fitted("seen_at", "2026-05-01T10:00:00+02:00", field) == ("2026-05-01 08:00:00", [])
    assert fitted("seen_at", "2026-05-01 10:00:00", field) == ("2026-05-01 10:00:00", [])
    assert fitted("seen_at", "tomorrowish", field) == (None, [("seen_at", "left_out")])


def test_290_291_select_values_must_be_in_the_list():
    field = MauticField("size", "select", "Size", None, ("s", "m"))
    assert fitted("size", "s", field) == ("s", [])
    assert fitted("size", "M", field) == ("m", [("size", "changed")])
    assert fitted("size", "xl", field) == (None, [("size", "left_out")])


def test_292_of_a_multiselect_the_listed_values_stay():
    field = MauticField("sizes", "multiselect", "Sizes", None, ("s", "m"))
    assert fitted("sizes", "s|xl|m", field) == ("s|m", [("sizes", "left_out")])
    assert fitted("sizes", "xl", field) == (None, [("sizes", "left_out")])


def test_065_068_text_is_shortened_at_a_word_to_the_fields_limit():
    street = "Street Street Street Street Street Street Street Street Street 12"
    assert fitted("address1", street) == (
        "Street Street Street Street Street Street Street Street Street",
        [("address1", "shortened")],
    )
    assert fitted("address1", "x" * 65) == ("x" * 64, [("address1", "shortened")])
    assert fitted("address1", "ü" * 64) == ("ü" * 64, [])


def test_293_a_shorter_field_has_its_own_limit():
    assert fitted("city", "12345678901", MauticField("city", "text", "City", 10))[0] == "1234567890"


def test_051_274_markup_is_taken_out_and_said():
    assert fitted("firstname", "<b>Bold</b> & \"q\" 's'") == ("Bold & \"q\" 's'", [("firstname", "changed")])
    assert fitted("company", "Müller & Söhne 日本 😀") == ("Müller & Söhne 日本 😀", [])
    assert fitted("firstname", "I <3 you") == ("I < 3 you", [("firstname", "changed")])
    assert fitted("firstname", "<br>") == (None, [("firstname", "left_out")])


def test_control_characters_and_half_surrogates_go():
    assert fitted("firstname", "A\x00n\x1bn\ud83da\tB") == ("Anna B", [])
    assert fitted("firstname", "\x00") == (None, [("firstname", "left_out")])


def test_042_043_countries_are_taken_by_any_known_spelling():
    assert fitted("country", "Italy") == ("Italy", [])
    assert fitted("country", "IT") == ("Italy", [("country", "changed")])
    assert fitted("country", "Nowhereland") == (None, [("country", "left_out")])
    old = MauticField("country", "country", "Country", None, ("Turkey", "Italy"))
    assert fitted("country", "Türkiye", old) == ("Turkey", [("country", "changed")])


def test_a_state_that_mautic_does_not_list_is_left_out_and_said():
    assert fitted("state", "Bayern") == ("Bayern", [])
    assert fitted("state", "Bavaria") == (None, [("state", "left_out")])


def test_blanks_empty_their_field_without_a_word():
    assert [fitted("city", value) for value in ("", "  ", None)] == [("", [])] * 3


def test_465_a_date_is_emptied_by_null():
    write, said = fit(ContactWrite("a@example.com", {"mautic_woo_last_order_date": ""}), samples.fields())
    assert (write.fields, said) == ({"mautic_woo_last_order_dat": None}, ())


def test_a_part_of_an_address_that_is_left_out_is_emptied_with_the_former_one():
    whole = {**dict.fromkeys(ADDRESS, ""), "city": "München", "state": "Bavaria"}
    write, said = fit(ContactWrite("a@example.com", whole), samples.fields())
    assert (write.fields["state"], write.fields["city"]) == ("", "München")
    assert [(a.field, a.kind) for a in said] == [("state", "left_out")]


def test_blanks_for_a_field_that_takes_no_values_are_left_out():
    field = MauticField("city", "text", "City", published=False)
    assert fitted("city", "", field) == (None, [])


def test_the_email_among_the_fields_is_not_sent_twice():
    assert fitted("email", "b@example.com") == (None, [])


def test_294_a_textarea_takes_long_text_but_not_more_than_its_column():
    field = MauticField("story", "textarea", "Story", None)
    assert fitted("story", "line 1\nline 2", field) == ("line 1\nline 2", [])
    sent, said = fitted("story", "ü" * 40_000, field)
    assert len(str(sent).encode()) <= 65_535 and said == [("story", "shortened")]


def test_order_data_in_a_short_text_field_is_left_out_rather_than_broken():
    order = '{"order_id":1,"items":[{"name":"a"},{"name":"b"}]}'
    short = replace(samples.fields()["mautic_woo_order_data"], type="text", limit=48)
    assert fitted("mautic_woo_order_data", order, short) == (
        '{"order_id":1,"items":[],"items_left_out":2}',
        [("mautic_woo_order_data", "shortened")],
    )
    assert fitted("mautic_woo_order_data", order, replace(short, limit=40)) == (
        None,
        [("mautic_woo_order_data", "left_out")],
    )
