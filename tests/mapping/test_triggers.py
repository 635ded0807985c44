from __future__ import annotations

from datetime import timedelta

from hypothesis import given, strategies as st

from integration.mapping.triggers import NOTES, email_of, is_before, renewed
from integration.settings import OrderModule
from tests.conftest import NOON

LATER = NOON + timedelta(hours=1)
modules = st.builds(
    OrderModule,
    notes=st.booleans(),
    emails=st.dictionaries(st.sampled_from(["completed", "refunded", "shipped"]), st.integers(0, 3)),
)


@given(modules, modules)
def test_each_trigger_counts_from_when_it_got_its_value(before: OrderModule, after: OrderModule) -> None:
    first = renewed({}, OrderModule(), before, NOON)
    moments = renewed(first, before, after, LATER)
    wanted = {email_of(status): number for status, number in after.emails.items() if number}
    assert set(moments) == set(wanted) | ({NOTES} if after.notes else set())
    for status in after.emails.keys() & wanted.keys():
        kept = before.emails.get(status) == after.emails[status]
        assert moments[email_of(status)] == (NOON if kept else LATER).isoformat()


@given(modules)
def test_saving_without_a_change_renews_nothing(module: OrderModule) -> None:
    stored = renewed({}, OrderModule(), module, NOON)
    assert renewed(stored, module, module, LATER) == stored
    assert renewed({}, module, module, LATER) == {}


def test_the_second_of_the_setting_counts_as_after_it() -> None:
    stored = {NOTES: (NOON + timedelta(milliseconds=900)).isoformat()}
    assert not is_before(NOON, NOTES, stored)
    assert is_before(NOON - timedelta(seconds=1), NOTES, stored)
    assert not is_before(NOON, email_of("completed"), stored)
