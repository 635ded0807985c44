"""Several stores into one Mautic (X16): fields and tags of two name spaces never meet, and stay within the limits."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from integration.errors import SettingError
from integration.mapping import aliases, carts, contacts, customer_deletion, field_map, orders, recurring, tags
from integration.mapping.fields import needs
from integration.mapping.follow_ups import Sighting
from integration.mapping.notes import note
from integration.mapping.values import fit_value
from integration.plans import Lifetime, MauticField, Plan, Skip
from integration.records import Cart, CartLine, LineItem, Order, OtherOrder
from integration.settings import Modules
from tests.mapping import samples

quick = settings(max_examples=60, deadline=None)
spaces = st.from_regex(r"[a-z0-9]{0,6}", fullmatch=True)
#: Everything that gives fields or tags is on.
ALL_ON = Modules().with_values(
    {
        "contacts.default_tags": "buyer",
        "contacts.on_delete": "tag",
        "orders.rfm": True,
        "orders.currency_totals": True,
        "orders.category_tags": True,
        "orders.general_tags": "bought, dear ones",
        "orders.subscriptions": True,
        "orders.remove_completed_tag": True,
        "carts.enabled": True,
    }
)


def in_space(space: str, modules: Modules = ALL_ON) -> Modules:
    return modules.with_value("naming.name_space", space)


def own_aliases(space: str) -> list[str]:
    return [need.alias for need in needs(in_space(space))]


@quick
@given(spaces, spaces)
def test_no_two_fields_of_two_name_spaces_have_one_alias(one: str, other: str) -> None:
    mine, theirs = own_aliases(one), own_aliases(other)
    assert len(mine) == len(set(mine)) == len([row for row in field_map.FIELD_MAP if row.ours])
    assert one == other or not set(mine) & set(theirs)
    assert all(len(alias) <= aliases.ALIAS_MAX_CHARS for alias in mine)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", alias) for alias in mine)


@quick
@given(spaces)
def test_every_alias_is_known_for_ours_and_its_json_stays_whole(space: str) -> None:
    assert all(field_map.is_made_by_us(alias) for alias in own_aliases(space))
    told = {aliases.cut(aliases.spaced(alias, space)) for alias in aliases.JSON}
    assert {alias for alias in own_aliases(space) if aliases.is_json(alias)} == told
    field = MauticField(aliases.cut(aliases.spaced(aliases.ORDER_DATA, space)), "text", "Data", 10)
    value, said = fit_value(field, '{"number": "1234567890"}')
    assert value is None and [each.kind for each in said] == ["left_out"]


@pytest.mark.parametrize("alias", ["woo_de_vip", "woo_order_data", "woo_toolong1_order_data", "shoe_size", "email"])
def test_a_persons_own_field_is_not_taken_for_ours(alias: str) -> None:
    assert not field_map.is_made_by_us(alias)


def test_what_is_the_persons_has_no_name_space() -> None:
    shared = {row.alias for row in field_map.FIELD_MAP if not row.ours}
    assert {row.alias for row in field_map.table("de") if not row.ours} == shared
    assert {"firstname", "city", "phone"} <= shared


items = st.builds(LineItem, name=st.text(max_size=210), product_id=st.integers(0, 99), sku=st.text(max_size=210))
statuses = st.sampled_from(["completed", "on-hold", "a-status-of-a-plugin"])


@quick
@given(items, items, spaces, spaces, statuses, st.booleans())
def test_no_tag_of_a_product_is_another_stores(
    mine: LineItem, theirs: LineItem, one: str, other: str, status: str, with_id: bool
) -> None:
    tag = tags.product_tag(mine, status, with_id, name_space=one)
    another = tags.product_tag(theirs, status, with_id, name_space=other)
    assert tag != another or one == other or not tag
    assert len(tag) <= tags.TAG_MAX_CHARS and (not tag or tag.endswith(f"_{status}"))
    assert tags.fit_tags((tag,))[0] == ((tag,) if tag else ())


@quick
@given(st.lists(st.text(max_size=200), max_size=3), spaces.filter(bool), spaces.filter(bool))
def test_no_typed_tag_is_another_stores(typed: list[str], one: str, other: str) -> None:
    mine, theirs = (tags.fit_tags(tags.typed_tags(typed, space))[0] for space in (one, other))
    assert one == other or not set(mine) & set(theirs)
    assert all(tag.startswith(f"{one}.") and tag != f"{one}." for tag in mine)


def order(status: str = "completed") -> Order:
    return replace(samples.order(), status=status, items=(LineItem("Mug", 7, sku="MUG-1"),))


def planned(modules: Modules, status: str = "completed", given: tuple[str, ...] = ()) -> Plan:
    made = orders.plan(
        order(status),
        modules,
        lifetime=Lifetime(),
        latest=True,
        known=True,
        seen=Sighting(),
        history=orders.History((), given),
        categories=("red-wine",),
    )
    assert isinstance(made, Plan)
    return made


def plans(modules: Modules) -> list[Plan | Skip]:
    """One plan of each kind that gives tags."""
    cart = Cart(7, "ada@example.com", "EUR", Decimal(20), (CartLine("Teapot", 3, price=Decimal(20)),))
    standing = (OtherOrder("active", (LineItem("Box", 8, sku="BOX"),)),)
    return [
        contacts.plan(samples.customer(), modules.contacts, naming=modules.naming),
        customer_deletion.plan("7", modules, known=True),
        planned(modules),
        planned(modules, "refunded"),
        recurring.plan("ada@example.com", modules, standing=standing, given=(), of_orders=(), known=True),
        carts.abandoned(cart, modules),
        carts.recovered(cart, modules),
        carts.taken_back("7", "now", modules),
    ]


def test_every_tag_of_every_plan_begins_with_the_name_space() -> None:
    for plain, spaced in zip(plans(ALL_ON), plans(in_space("de")), strict=True):
        assert isinstance(plain, Plan) and isinstance(spaced, Plan) and plain.contact.tags
        expected = [re.sub(r"^(-?)", r"\1de.", tag) for tag in plain.contact.tags]
        assert list(spaced.contact.tags) == expected


def test_every_field_of_ours_of_every_plan_is_in_the_name_space() -> None:
    ours = {row.alias for row in field_map.FIELD_MAP if row.ours}
    for plain, spaced in zip(plans(ALL_ON), plans(in_space("de")), strict=True):
        assert isinstance(plain, Plan) and isinstance(spaced, Plan)
        told = plain.contact.fields.items()
        assert spaced.contact.fields == {
            aliases.spaced(alias, "de") if alias in ours else alias: v for alias, v in told
        }


def test_a_refund_takes_the_completed_tag_of_its_own_store_alone() -> None:
    taken = {tag for tag in planned(in_space("de"), "refunded").contact.tags if tag.startswith("-")}
    assert taken == {"-de.mug-1_completed"}


def test_a_former_spelling_goes_in_the_name_space_it_was_given_in() -> None:
    item = LineItem("Größe", 7)
    former = "de.grosse_completed", "de.grose_completed"
    assert set(tags.former_tags(item, "completed", locale="de_DE", name_space="de")) <= set(former)
    spelt = replace(order(), items=(item,))
    history = orders.History((), tags.former_tags(item, "completed", locale="de_DE", name_space="de"))
    gone = orders.tags(spelt, ALL_ON.orders, "", orders.Shop(None, "de_DE"), history, (), "de")
    assert [tag for tag in gone if tag.startswith("-")] == [f"-{tag}" for tag in history.given]


def test_a_note_is_found_again_by_its_store() -> None:
    assert note(order()).marker != note(order(), name_space="de").marker != note(order(), name_space="fr").marker


@pytest.mark.parametrize("typed", ["a b", "de_1", "größe", "seventh7", "d.e", "-", "<b>"])
def test_what_no_name_space_may_hold_is_refused(typed: str) -> None:
    with pytest.raises(SettingError) as caught:
        in_space(typed)
    assert caught.value.at("naming.name_space")


@pytest.mark.parametrize(("typed", "kept"), [("DE", "de"), (" shop2 ", "shop2"), ("", "")])
def test_a_name_space_is_kept_in_lower_case(typed: str, kept: str) -> None:
    assert in_space(typed).naming.name_space == kept


def test_without_a_name_space_nothing_is_renamed() -> None:
    assert field_map.table("") is field_map.FIELD_MAP
    assert tags.spaced("mug_completed", "") == "mug_completed"
