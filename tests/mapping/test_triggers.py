from __future__ import annotations

from datetime import timedelta

from hypothesis import given, strategies as st

from integration.mapping.triggers import CARTS, NOTES, email_of, is_before, renewed, since
from integration.settings import CartModule, Modules, OrderModule
from tests.conftest import NOON

LATER = NOON + timedelta(hours=1)
modules = st.builds(
    Modules,
    orders=st.builds(
        OrderModule,
        notes=st.booleans(),
        emails=st.dictionaries(st.sampled_from(["completed", "refunded", "shipped"]), st.integers(0, 3)),
    ),
    carts=st.builds(CartModule, enabled=st.booleans()),
)


@given(modules, modules)
def test_each_trigger_counts_from_when_it_got_its_value(before: Modules, after: Modules) -> None:
    first = renewed({}, Modules(), before, NOON)
    moments = renewed(first, before, after, LATER)
    emails = after.orders.emails
    wanted = {email_of(status) for status, number in emails.items() if number}
    switches = {NOTES: after.orders.notes, CARTS: after.carts.enabled}
    assert set(moments) == wanted | {name for name, is_on in switches.items() if is_on}
    for status in [status for status, number in emails.items() if number]:
        kept = before.orders.emails.get(status) == emails[status]
        assert moments[email_of(status)] == (NOON if kept else LATER).isoformat()


@given(modules)
def test_saving_without_a_change_renews_nothing(module: Modules) -> None:
    stored = renewed({}, Modules(), module, NOON)
    assert renewed(stored, module, module, LATER) == stored
    assert renewed({}, module, module, LATER) == {}


def test_reminders_count_from_when_they_were_switched_on_last() -> None:
    off, on = Modules(), Modules(carts=CartModule(enabled=True))
    stored = renewed(renewed({}, off, on, NOON), on, on, LATER)
    assert since(CARTS, stored) == NOON
    assert since(CARTS, renewed(stored, on, off, LATER)) is None


def test_the_second_of_the_setting_counts_as_after_it() -> None:
    stored = {NOTES: (NOON + timedelta(milliseconds=900)).isoformat()}
    assert not is_before(NOON, NOTES, stored)
    assert is_before(NOON - timedelta(seconds=1), NOTES, stored)
    assert not is_before(NOON, email_of("completed"), stored)
