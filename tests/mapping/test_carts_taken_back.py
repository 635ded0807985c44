"""What takes a cart from a contact that it is not of any more."""

from __future__ import annotations

import pytest

from integration.mapping.carts import MODULE_OFF, taken_back
from integration.plans import Plan, SegmentRemove
from integration.settings import CartModule, Modules

AT = "2026-11-20T12:00:00+00:00"


def modules(**values: object) -> Modules:
    return Modules(carts=CartModule.model_validate({"enabled": True, **values}))


@pytest.mark.parametrize(("segment", "leaves", "left"), [(3, True, True), (3, False, False), (0, True, False)])
def test_exactly_the_cart_fields_and_the_first_tag_go(segment: int, leaves: bool, left: bool) -> None:
    made = taken_back("7", AT, modules(segment=segment, leave_segment=leaves, remove_tag=False))
    assert isinstance(made, Plan)
    assert (made.contact.email, made.contact.tags, set(made.contact.fields.values())) == (
        "",
        ("-abandoned_cart",),
        {""},
    )
    assert sorted(made.contact.fields) == [
        "mautic_woo_cart_data",
        "mautic_woo_cart_html",
        "mautic_woo_coupon_code",
        "mautic_woo_recovery_url",
    ]
    assert made.follow_ups == ((SegmentRemove(3, "cart:7", f"moved {AT}"),) if left else ())


def test_nothing_is_written_where_the_module_is_off() -> None:
    assert taken_back("7", AT, modules(enabled=False)) is MODULE_OFF
