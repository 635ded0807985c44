"""What is true of one kind of record stands in its stream, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import integration
from integration import streams
from integration.errors import MappingError
from integration.events import Kind, Origin
from integration.settings import Modules
from tests.conftest import NOON

SOURCE = Path(integration.__file__).parent
TEMPLATES = SOURCE.parent / "templates"
#: Rooms below the streams, which cannot ask them, and what may name a kind there.
ALLOWED = {
    "mapping/carts.py": "the mapping of one kind",
    "mapping/contacts.py": "the mapping of one kind",
    "mapping/orders.py": "the mapping of one kind",
    "mapping/field_map.py": "a column of the table of fields",
    "mapping/scores.py": "the mapping of one kind",
    "store/parse.py": "the store's names for its records",
    "store/reading.py": "the store's lists",
    "store/webhooks.py": "the store's topics",
}
NAMED = re.compile(
    r"Kind\.(?:CONTACT|ORDER|CART|RECURRING|SCORE)\b|kind\s*(?:==|!=|is|is not)\s*[\"'](?:contact|order)[\"']"
)
ROOMS = {"streams", "sandbox", "models"}


def naming(folder: Path, pattern: str) -> set[str]:
    files = [file for file in folder.rglob(pattern) if file.relative_to(folder).parts[0] not in ROOMS]
    return {file.relative_to(folder).as_posix() for file in files if NAMED.search(file.read_text(encoding="utf-8"))}


def test_no_code_outside_the_streams_asks_for_a_kind() -> None:
    assert naming(SOURCE, "*.py") == set(ALLOWED)


def test_no_page_asks_for_a_kind() -> None:
    assert naming(TEMPLATES, "*.html") == set()


def test_every_stream_answers_for_its_kind() -> None:
    assert set(streams.STREAMS) == set(Kind)
    for kind, stream in streams.STREAMS.items():
        assert stream.kind is kind
        assert all((stream.labels.entity, stream.labels.entities, stream.labels.noun))
        assert {stream.module} == {name for name in ("contacts", "orders", "carts") if name == stream.module}


@pytest.mark.parametrize("kind", list(streams.STREAMS))
def test_what_does_not_say_whose_it_is_is_refused_by_every_stream(kind: Kind) -> None:
    with pytest.raises(MappingError) as refused:
        streams.of(kind).change({}, Origin.FULL, NOON)
    assert refused.value.code in ("no_id", "bad_shape")
    assert refused.value.sentence


def test_phases_are_read_in_one_order() -> None:
    every = [phase for stream in streams.STREAMS.values() for phase in stream.phases]
    assert [phase.name for phase in sorted(every, key=lambda each: each.place)] == [
        "ledger",
        "customers",
        "orders",
        "recurring",
    ]


@pytest.mark.parametrize(
    ("contacts", "orders", "shown"),
    [
        (True, True, ["Contact", "Order"]),
        (True, False, ["Contact"]),
        (False, True, ["Order"]),
        (False, False, ["Contact", "Order", "Abandoned cart"]),
    ],
)
def test_lists_offer_the_kinds_that_are_synced(contacts: bool, orders: bool, shown: list[str]) -> None:
    modules = Modules().with_value("contacts.enabled", contacts).with_value("orders.enabled", orders)
    assert list(streams.entities(modules).values()) == shown


def test_a_kind_without_a_stream_is_shown_by_its_name() -> None:
    assert streams.labels("abandoned_cart").entity == "Abandoned cart"
