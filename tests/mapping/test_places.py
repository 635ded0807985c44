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
        ("JP", "JP07", "Fukushima"),
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


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("UK", "United Kingdom"),
        ("el", "Greece"),
        ("GB", "United Kingdom"),
        ("GBR", "United Kingdom"),
        ("ita", "Italy"),
        ("TP", "East Timor"),
    ],
)
def test_codes_that_are_not_isos_name_their_country_too(code: str, name: str) -> None:
    assert places.country(code) == places.country_named(code) == name


@pytest.mark.parametrize("code", ["AN", "YU", "SU"])
def test_a_code_of_several_countries_names_none(code: str) -> None:
    assert places.country(code) is None


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ("OT", "Olbia-Tempio"),
        ("og", "Ogliastra"),
        ("SS", "Sassari"),
        ("CI", "Carbonia-Iglesias"),
        ("VS", "Medio Campidano"),
        ("SU", "Cagliari"),
        ("Sud Sardegna", "Cagliari"),
        ("Sulcis Iglesiente", "Carbonia-Iglesias"),
    ],
)
def test_sardinian_provinces_that_came_and_went_are_named(state: str, name: str) -> None:
    assert places.state("IT", state) == name


def test_su_is_sardinia_in_italy_alone() -> None:
    assert places.state("ID", "SU") == "Sumatera Utara"


@pytest.mark.parametrize("state", ["DF", "CDMX", "cdmx", "MX-CMX", "Ciudad de México"])
def test_mexico_city_is_known_by_its_old_and_new_codes(state: str) -> None:
    assert places.state("MX", state) == "Ciudad de México"


@pytest.mark.parametrize(("state", "name"), [("OR", "Orissa"), ("OD", "Orissa"), ("IN-CG", "Chhattisgarh")])
def test_indian_states_are_known_by_their_old_and_new_codes(state: str, name: str) -> None:
    assert places.state("IN", state) == name


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("Zürich", ("Zurich",)),
        ("Fukushima", ("Fukusima",)),
        ("Sao Paulo", ("São Paulo",)),
        ("Olbia-Tempio", ("Sassari", "Gallura Nord-Est Sardegna")),
        ("Toscana", ()),
    ],
)
def test_a_state_has_the_spellings_of_other_versions(name: str, others: tuple[str, ...]) -> None:
    assert places.alternates("state", name) == others


def test_every_other_spelling_belongs_to_a_state_that_is_sent() -> None:
    states = json.loads((places.DATA / "states.json").read_text("utf-8"))
    sent = {name for names in states.values() for name in names.values()}
    assert set(json.loads((places.DATA / "state_spellings.json").read_text("utf-8"))) <= sent
