"""The small parts of lists are kept from row to row, and no row gets another one's."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from markupsafe import Markup

from integration.web.frame import filters, marks

AT = datetime(2026, 11, 30, 8, 24, 6, 123456, tzinfo=UTC)


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_markup_and_what_is_not_are_told_apart(order: int) -> None:
    found = {type(text): marks.badge(text, f"ok{order}") for text in ("<b>", Markup("<b>"))[::order]}
    assert ("&lt;b&gt;" in found[str], "<b>" in found[Markup]) == (True, True)


def test_a_meaning_is_each_badge_s_own() -> None:
    one, other = marks.badge("Failed", "bad", "Mautic said no"), marks.badge("Failed", "bad", "The store said no")
    assert ("Mautic said no" in one, "The store said no" in other) == (True, True)


@pytest.mark.parametrize(("zone", "told"), [("Europe/Berlin", "09:24:06 CET"), ("UTC", "08:24:06 UTC")])
def test_a_moment_is_of_the_zone_of_its_page(monkeypatch: pytest.MonkeyPatch, zone: str, told: str) -> None:
    monkeypatch.setattr(filters, "zone_of", lambda connector: ZoneInfo(zone))
    monkeypatch.setattr(filters, "_organisation_zone", lambda: ZoneInfo(zone))
    with Flask(__name__).app_context():
        g.connector = None
        assert told in marks.moment(AT)
        assert 'title="2026-11-30 08:24:06 UTC"' in marks.moment(AT)
        assert "never" in marks.moment(None)
