"""The cost meter (X20): calls used and saved, the limit, and what basic auth costs."""

from __future__ import annotations

from integration.models import Connector
from integration.operations.monitoring import cost
from integration.pipeline.usage import Sums
from integration.settings import Modules

HOURS = [Sums(pushed=40, mautic_calls=8, single_calls=90), Sums(pushed=10, mautic_calls=2, single_calls=10)]


def test_calls_are_told_with_what_was_saved_and_what_is_expected() -> None:
    limited = Modules().with_value("sync.hourly_limit", 10)
    found = cost.of(HOURS, Connector(mautic_method="client_credentials"), limited)
    assert (found.calls, found.saved, found.share, found.busiest, found.near) == (10, 90, 90.0, 8, True)
    assert (found.expected(100), found.basic_seconds) == (20, None)


def test_basic_auth_and_no_limit_are_told() -> None:
    found = cost.of(HOURS, Connector(mautic_method="basic"), Modules())
    assert (found.near, round(found.basic_seconds or 0, 1)) == (False, 4.2)
    nothing = cost.of([], Connector(mautic_method="basic"), Modules())
    assert (nothing.share, nothing.expected(100)) == (None, 0)
