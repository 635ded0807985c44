"""Whatever the store holds and whatever a person maps: no exception, and nothing that Mautic would refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from integration.errors import MappingError, SettingError
from integration.events import Kind, Origin
from integration.mapping import contacts, orders
from integration.mapping.fields import fit
from integration.mapping.follow_ups import Sighting
from integration.mapping.own_values import own_values
from integration.mautic.fields import field_of
from integration.plans import Plan
from integration.sandbox.mautic.field_definitions import core_fields, new_field
from integration.sandbox.mautic.field_values import cast
from integration.settings import MappingModule, Modules
from integration.settings.mapping import CONDITIONS, FORMATS, MADE_VALUES, rows_of
from integration.store import parse
from integration.streams import asked

settings.register_profile("own", max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
quick = settings.get_profile("own")

SEEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
LISTED = {"list": [{"label": "S", "value": "S"}, {"label": "M & L", "value": "M & L"}]}
TYPES = ("text", "textarea", "html", "tel", "url", "email", "lookup", "number", "boolean", "date", "datetime", "time")
CHOSEN = ("select", "multiselect", "country", "region", "timezone", "locale")


def _fields() -> dict[str, dict[str, Any]]:
    found = {row["alias"]: row for row in core_fields().values() if row["object"] == "lead" and row["alias"] != "email"}
    for number, kind in enumerate((*TYPES, *CHOSEN), 900):
        about = new_field(number, f"My {kind}", f"my_{kind}", kind, "lead")
        about["properties"] = LISTED if kind in ("select", "multiselect") else {}
        found[about["alias"]] = about | {"charLengthLimit": 20}
    return found


FIELDS = _fields()
KNOWN = {alias: field_of(about, {}) for alias, about in FIELDS.items()}

odd = st.sampled_from(
    ["0", "0.5", "-3", "1,234.50", "yes", "no", "IT", "Italy", "S", "m & l", "S|M & L", "2026-02-30", "20260207"]
    + ["2026-02-07T10:11:12", "10:20", "946684800", "a@example.com", "shop.example/x y", "http://x.example", "<b>x</b>"]
    + ['{"a": [1, 2]}', "[", "{}", "<3", "x" * 400, "é" * 70, "\x00", "Europe/Rome", "it_IT", "false", "&amp;", "٣"]
)
text = st.one_of(st.text(st.characters(exclude_categories=()), max_size=60), odd)
scalar = st.one_of(st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), text)
value = st.recursive(
    scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc") | text, inner, max_size=4)
    ),
    max_leaves=8,
)
PATHS = ("customer_note", "shipping.city", "meta_data._k", "meta_data._k.a", "meta_data._k.0", "line_items.name")


def rows(kind: Kind) -> st.SearchStrategy[list[dict[str, Any]]]:
    paths = st.sampled_from((*PATHS, "billing.city", *(f"made.{name}" for name in MADE_VALUES[kind])))
    arguments = st.sampled_from(["", "|", ",", ".", "Ja|Nein", "DD/MM/YYYY", "it => Italy", "* => S", "a =>"]) | text
    one = st.fixed_dictionaries(
        {
            "kind": st.just(str(kind)),
            "alias": st.sampled_from(sorted(FIELDS)),
            "source": paths,
            "format": st.sampled_from(sorted(FORMATS)),
            "argument": arguments,
            "default": st.just("") | odd,
            "empties": st.booleans(),
            "condition": st.just("always") | st.sampled_from(sorted(CONDITIONS)),
            "condition_path": paths,
            "condition_value": text,
        }
    )
    return st.lists(one, min_size=1, max_size=8)


record = st.fixed_dictionaries(
    {
        "id": st.just(7),
        "status": st.just("completed"),
        "currency": st.just("EUR"),
        "total": st.just("10.00"),
        "email": st.just("a@example.com"),
        "billing": st.fixed_dictionaries({"email": st.just("a@example.com"), "city": text, "country": text}),
        "shipping": value,
        "customer_note": value,
        "line_items": st.lists(st.fixed_dictionaries({"name": text, "sku": text, "quantity": st.just(1)}), max_size=3),
        "meta_data": st.lists(st.fixed_dictionaries({"key": st.just("_k") | text, "value": value}), max_size=3),
    }
)


def usable(given: list[dict[str, Any]]) -> Modules:
    """Return the settings with those of the rows that would be saved."""
    kept = []
    for one in given:
        try:
            [row] = rows_of([one])
        except SettingError as error:
            assert error.sentence
            continue
        module = MappingModule(rows=(*kept, row))
        if not module.contradictions():
            kept.append(row)
    return Modules(mapping=MappingModule(rows=tuple(kept)))


def assert_taken(made: Plan, known: bool) -> None:
    """Fit a plan as the pipeline does and let the stand-in judge each value as a real Mautic would."""
    write, said = fit(made.contact, KNOWN | {"email": field_of(EMAIL, {})}, known=known)
    json.dumps(dict(write.fields), allow_nan=False, ensure_ascii=False).encode()
    for alias, sent in write.fields.items():
        if sent not in (None, ""):
            stored = cast(FIELDS[alias], sent)
            limit = KNOWN[alias].limit
            assert limit is None or len(str(stored)) <= limit
    assert all(each.sentence for each in (*made.adjustments, *said))


EMAIL = next(row for row in core_fields().values() if row["alias"] == "email")


@quick
@given(raw=record, mapped=rows(Kind.ORDER), known=st.booleans())
def test_orders_of_any_content_are_mapped_to_what_mautic_takes(raw, mapped, known):
    modules = usable(mapped)
    change = parse.order_change(asked.by(modules)[Kind.ORDER].kept(raw), Origin.POLL, SEEN)
    kept = json.loads(json.dumps(change.payload, allow_nan=False))
    try:
        made = orders.plan(
            parse.order(kept), modules, lifetime=None, latest=True, known=known, seen=Sighting(None, True)
        )
    except MappingError as error:
        assert error.code
        return
    assert isinstance(made, Plan)
    assert_taken(made, known)


@quick
@given(raw=record, mapped=rows(Kind.CONTACT), known=st.booleans())
def test_customers_of_any_content_are_mapped_to_what_mautic_takes(raw, mapped, known):
    modules = usable(mapped)
    change = parse.customer_change(asked.by(modules)[Kind.CONTACT].kept(raw), Origin.POLL, SEEN, created=False)
    person = parse.customer(json.loads(json.dumps(change.payload, allow_nan=False)))
    made = contacts.plan(person, modules.contacts, mapping=modules.mapping)
    assert isinstance(made, Plan)
    assert_taken(made, known)


@quick
@given(raw=record, mapped=rows(Kind.ORDER))
def test_what_is_mapped_is_json_and_gives_the_same_values_again(raw, mapped):
    modules = usable(mapped)
    assert Modules.from_json(json.loads(json.dumps(modules.to_json()))) == modules
    kept = parse.order_change(asked.by(modules)[Kind.ORDER].kept(raw), Origin.POLL, SEEN).payload
    again = json.loads(json.dumps(kept))
    assert own_values(parse.order(again), Kind.ORDER, modules) == own_values(parse.order(kept), Kind.ORDER, modules)
