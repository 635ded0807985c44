"""Places whose names differ by version reach a Mautic 4.4, 5 and 7 in its own spelling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.road.conftest import Road

#: Country and state as the store has them -> what Mautic 4.4 and later ones list (data/README.md).
PLACES = {
    ("CH", "ZH"): (("Switzerland", "Zurich"), ("Switzerland", "Zürich")),
    ("JP", "JP07"): (("Japan", "Fukusima"), ("Japan", "Fukushima")),
    ("TR", "TR34"): (("Turkey", "Istanbul"), ("Türkiye", "Istanbul")),
    ("UK", "Kent"): (("United Kingdom", "Kent"), ("United Kingdom", "Kent")),
    ("IT", "SU"): (("Italy", "Cagliari"), ("Italy", "Cagliari")),
    ("MX", "CDMX"): (("Mexico", "Ciudad de México"), ("Mexico", "Ciudad de México")),
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database does: places are none of its business."""
    return f"sqlite:///{tmp_path / 'road.sqlite'}"


@pytest.mark.parametrize("mautic", ["4.4", "5.2.1", "7.0.0"], indirect=True)
def test_each_version_gets_places_in_its_own_spelling(make_road: Callable[..., Road]) -> None:
    road = make_road()
    later = road.mautic.state.major >= 5
    for number, (country, state) in enumerate(PLACES):
        road.order(f"buyer{number}@example.com", billing={"country": country, "state": state, "city": "X"})
    assert road.run().state == "COMPLETED"
    held = {
        str(contact.values.get("email")): (contact.values.get("country"), contact.values.get("state"))
        for contact in road.mautic.state.contacts.values()
    }
    assert held == {f"buyer{number}@example.com": names[later] for number, names in enumerate(PLACES.values())}
