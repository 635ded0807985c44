from __future__ import annotations

import json

import pytest

from integration.mapping import places


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("US", "United States"),
        ("GB", "United Kingdom"),
        ("us", "United States"),
        ("CD", "Democratic Republic of the Congo"),
        ("MK", "Macedonia"),
        ("VA", "Holy See"),
        ("ST", "Sao Tome and Principe"),
        ("TR", "Türkiye"),
        ("FO", None),
        ("AS", None),
        ("", None),
        ("??", None),
    ],
)
def test_p15_country_codes_become_mautics_names(code, name):
    assert places.country(code) == name


def test_p15_countries_that_changed_their_name_have_alternates():
    assert places.country_alternates("Türkiye") == ("Turkey",)
    assert places.country_alternates("Turkey") == ("Türkiye",)
    assert places.country_alternates("Eswatini") == ("Swaziland",)
    assert places.country_alternates("Nowhereland") == ()
    assert places.alternates("country", "Türkiye") == ("Turkey",)
    assert places.alternates("city", "Türkiye") == ()
    assert places.alternates("country", 3) == ()


@pytest.mark.parametrize(
    ("country", "state", "name"),
    [
        ("US", "CA", "California"),
        ("US", "AE", "Armed Forces Europe"),
        ("CA", "CA", None),
        ("DE", "DE-BY", "Bayern"),
        ("DE", "BY", "Bayern"),
        ("DE", "Bavaria", "Bayern"),
        ("DE", "bayern", "Bayern"),
        ("IT", "MI", "Milano"),
        ("IT", "mi", "Milano"),
        ("CH", "GE", "Genève"),
        ("JP", "JP07", "Fukusima"),
        ("BR", "SP", "Sao Paulo"),
        ("BR", "São Paulo", "Sao Paulo"),
        ("ES", "GI", "Girona [Gerona]"),
        ("IE", "D", "Dublin"),
        ("GB", "greater london", "Greater London"),
        ("GB", "Nowhereshire", None),
        ("FR", "", None),
        ("", "CA", None),
        ("XX", "CA", None),
    ],
)
def test_p15_states_become_mautics_spelling(country, state, name):
    assert places.state(country, state) == name


def test_every_state_has_a_country_that_is_named():
    states = json.loads((places.DATA / "states.json").read_text("utf-8"))
    assert all(places.country(code) for code in states)
    assert all(places.is_state(name) for names in states.values() for name in names.values())
    assert not places.is_state("California ")


def test_every_country_name_leads_back_to_its_first_spelling():
    countries = json.loads((places.DATA / "countries.json").read_text("utf-8"))
    for code, names in countries.items():
        assert places.country(code) == names[0]
        assert all(places.country_named(name) in names for name in names)


@pytest.mark.parametrize(("code", "name"), [("UK", "United Kingdom"), ("el", "Greece"), ("GB", "United Kingdom")])
def test_codes_that_are_not_isos_name_their_country_too(code: str, name: str) -> None:
    assert places.country(code) == places.country_named(code) == name


@pytest.mark.parametrize(
    ("state", "name"), [("OT", "Sassari"), ("og", "Nuoro"), ("SS", "Sassari"), ("SU", None), ("CI", None)]
)
def test_a_province_that_went_back_has_the_name_of_the_one_it_went_to(state: str, name: str | None) -> None:
    assert places.state("IT", state) == name


@pytest.mark.parametrize("state", ["DF", "CDMX", "cdmx", "MX-CMX", "Ciudad de México"])
def test_mexico_city_is_known_by_its_old_and_new_codes(state: str) -> None:
    assert places.state("MX", state) == "Ciudad de México"
