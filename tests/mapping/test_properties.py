from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings, strategies as st

from integration.errors import MappingError
from integration.mapping import contacts, orders, slugs, tags
from integration.mapping.fields import fit
from integration.mapping.follow_ups import Sighting
from integration.mapping.merge import merge
from integration.mapping.order_data import order_data, shortened
from integration.mapping.text import clean, shorten, without_markup
from integration.plans import ContactWrite, Lifetime, MauticField, Plan, SegmentAdd, Skip, is_blank
from integration.records import Address, Customer, LineItem, Order
from integration.settings import Modules, OrderModule
from tests.mapping import samples

settings.register_profile("mapping", max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
quick = settings.get_profile("mapping")

#: Any code point, half surrogates too, as JSON from a store can hold them.
any_text = st.text(st.characters(exclude_categories=()), max_size=90)
text = st.one_of(
    any_text, st.sampled_from(["<b>x</b>", "a,b", "-x", "0", "0.5", "<3", "日本 Tシャツ", "  ", "\x00", "x" * 300])
)
emails = st.one_of(st.just("a@example.com"), st.emails(), any_text)
money = st.decimals(0, 10**7, places=2)
addresses = st.builds(
    Address, text, text, text, text, text, text, text, text, st.sampled_from(["IT", "US", "FO", "", "x"]), emails, text
)
items = st.builds(
    LineItem,
    name=text,
    product_id=st.integers(0, 99),
    sku=st.one_of(st.just(""), text),
    price=money,
    quantity=st.decimals("0.01", 99, places=2),
    total=money,
)
moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
records = st.builds(
    Order,
    id=st.integers(1, 10**9),
    number=text,
    status=st.one_of(st.sampled_from(["completed", "refunded", "cancelled", "trash", "checkout-draft"]), text),
    currency=st.sampled_from(["EUR", "JPY"]),
    total=money,
    billing=addresses,
    discount_total=money,
    coupons=st.lists(text, max_size=3).map(tuple),
    payment_method=text,
    items=st.lists(items, max_size=6).map(tuple),
    refunds=st.lists(money, max_size=2).map(tuple),
    created_at=moments,
    modified_at=moments,
)
lifetimes = st.none() | st.builds(Lifetime, money, st.integers(0, 999), moments, moments, st.integers(0, 3))
MODULES = Modules(
    orders=OrderModule(
        statuses=("completed", "refunded"),
        notes=True,
        product_id_tags=True,
        remove_completed_tag=True,
        general_tags=("-x", "Buyer"),
        emails={"completed": 1},
        segments={"refunded": 2},
    )
)
writes = st.builds(
    ContactWrite,
    st.just("a@example.com"),
    st.dictionaries(
        st.sampled_from(sorted(samples.fields())),
        st.one_of(text, st.just(""), st.none(), st.integers(), st.floats(), st.booleans()),
    ),
    st.lists(text, max_size=5).map(tuple),
)
plans = st.builds(
    Plan,
    writes,
    st.lists(st.builds(SegmentAdd, st.integers(1, 3)), max_size=3).map(tuple),
)


@quick
@given(order=records, lifetime=lifetimes, latest=st.booleans(), known=st.booleans(), historical=st.booleans())
def test_an_order_of_any_content_gives_a_fitted_plan_a_skip_or_a_mapping_error(
    order, lifetime, latest, known, historical
):
    try:
        made = orders.plan(
            order,
            MODULES,
            lifetime=lifetime,
            latest=latest,
            known=known,
            seen=Sighting(order.modified_at, historical),
            shop_currency="EUR",
        )
        if isinstance(made, Skip):
            return
        write, _ = fit(made.contact, samples.fields())
    except MappingError as error:
        assert error.code and str(error)
        return
    assert_sendable(write, samples.fields())


@quick
@given(person=st.builds(Customer, st.integers(1, 99), emails, text, text, st.just("customer"), addresses))
def test_a_customer_of_any_content_gives_a_fitted_plan_a_skip_or_a_mapping_error(person):
    try:
        made = contacts.plan(person, MODULES.contacts)
        if isinstance(made, Skip):
            return
        write, _ = fit(made.contact, samples.fields())
    except MappingError as error:
        assert error.code and str(error)
        return
    assert_sendable(write, samples.fields())


@quick
@given(write=writes, limit=st.integers(1, 80))
def test_fit_never_exceeds_a_limit_and_is_the_same_twice(write, limit):
    known = {
        alias: MauticField(alias, field.type, field.label, limit if field.type == "text" else field.limit)
        for alias, field in samples.fields().items()
    }
    fitted, adjustments = fit(write, known)
    assert_sendable(fitted, known)
    assert {a.kind for a in adjustments} <= {"shortened", "left_out", "no_field", "changed"}
    assert fit(fitted, known)[0] == fitted


@quick
@given(order=records, limit=st.integers(0, 2000))
def test_order_data_is_valid_json_within_any_limit(order, limit):
    whole = order_data(order)
    kept, dropped = shortened(whole, limit)
    if kept is None:
        assert len(order_data(replace(order, items=()))) > limit - len(',"items_left_out":0')
        return
    data = json.loads(kept)
    assert len(kept) <= limit
    assert len(data["items"]) + dropped == len(order.items)
    assert data.get("items_left_out", 0) == dropped
    assert not set("<>&") & set(kept)


@quick
@given(order=records)
def test_order_tags_are_safe(order):
    for tag in orders.tags(order, MODULES.orders):
        name = tag.removeprefix("-")
        assert name and len(name) <= 191 and "," not in name and not name.startswith("-")
        assert not tag.startswith("-") or (order.status in tags.UNDONE and tag.endswith("_completed"))


@quick
@given(text)
def test_a_slug_is_a_slug_of_itself(value):
    slug = slugs.slug(value)
    assert slugs.slug(slug) == slug
    assert slug == slug.lower().strip("-") and set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


@quick
@given(st.lists(plans, min_size=1, max_size=5), st.data())
def test_merging_is_associative(several, data):
    middle = data.draw(st.integers(1, len(several)))
    left, right = several[:middle], several[middle:]
    assert merge([merge(left), *([merge(right)] if right else [])]) == merge(several)


@quick
@given(st.lists(plans, min_size=1, max_size=5))
def test_the_last_word_on_a_field_wins_be_it_a_value_or_that_it_is_empty(several):
    merged = merge(several).contact.fields
    assert merged.keys() == {alias for plan in several for alias in plan.contact.fields}
    for alias, value in merged.items():
        last = next(plan.contact.fields[alias] for plan in reversed(several) if alias in plan.contact.fields)
        assert value is last


@quick
@given(st.lists(plans, min_size=1, max_size=4))
def test_what_is_to_be_empty_survives_the_fit_to_mautic(several):
    write = merge(several).contact
    fitted = fit(write, samples.fields())[0].fields
    blank = {alias for alias, value in write.fields.items() if is_blank(value) and alias != "email"}
    assert {alias for alias in blank if is_blank(fitted[alias])} == blank
    dates = {alias for alias, field in samples.fields().items() if field.type == "date"}
    assert all((fitted[alias] is None) == (alias in dates) for alias in blank)


@quick
@given(text, st.integers(1, 70))
def test_text_is_cleaned_once_for_all(value, limit):
    once = without_markup(clean(value))
    assert without_markup(clean(once)) == once
    once.encode()
    assert len(shorten(once, limit)) <= limit


def assert_sendable(write: ContactWrite, known: dict[str, MauticField]) -> None:
    json.dumps([write.email, dict(write.fields), write.tags], allow_nan=False, ensure_ascii=False).encode()
    assert write.email.isascii() and len(write.email) <= 64
    for alias, value in write.fields.items():
        limit = known[alias].limit
        assert value is None or limit is None or len(str(value)) <= limit
        assert isinstance(value, bool) or not isinstance(value, int | float) or value != 0
    for tag in write.tags:
        name = tag.removeprefix("-")
        assert name.strip() == name and 0 < len(name) <= 191 and not set(",<>") & set(name)
    data = write.fields.get("mautic_woo_order_data")
    assert data is None or known["mautic_woo_order_data"].type != "textarea" or isinstance(data, str)
