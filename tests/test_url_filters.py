"""Filters of URLs: what was typed comes back in the URL, and what cannot be used is named and left out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from integration.url_filters import (
    FILTER_MAX_CHARS,
    NUMBER_MAX,
    Day,
    EntryId,
    Moment,
    OneOf,
    SourceText,
    Text,
    UrlFilter,
    WholeNumber,
)


class Shown(UrlFilter):
    """One field of each type."""

    owner: int
    kind: Annotated[str, OneOf(("order", "contact"))] = ""
    source: SourceText = ""
    text: Text = ""
    since: Moment = None
    until: Moment = None
    day: Day = None
    limit: Annotated[int, WholeNumber(10, 100)] = 25
    before: EntryId = 0


def test_values_come_back_in_the_url() -> None:
    typed = {
        "kind": "order",
        "source": "7",
        "text": "Änne {x}",
        "since": "2026-11-20T10:30",
        "until": "2026-11-21T10:30:05+02:00",
        "day": "2026-11-20",
        "limit": "50",
        "before": "12",
    }
    query, notices = Shown.from_url(typed, "Europe/Rome", owner=3)
    assert (query.args(), notices) == (typed, [])
    assert query.since == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert query.day == date(2026, 11, 20)
    assert query.args(before=99, text=None) == {**{k: v for k, v in typed.items() if k != "text"}, "before": "99"}


def test_what_is_usual_stands_in_no_url() -> None:
    query, notices = Shown.from_url({"limit": "25", "kind": " ", "before": "0"}, owner=3)
    assert (query, query.args(), notices) == (Shown(owner=3), {}, [])
    assert not query.differs()


@pytest.mark.parametrize(
    ("name", "text", "notice"),
    [
        ("kind", "{odd}", "There is no kind “{odd}”. That filter was left out."),
        ("since", "soon", "“soon” is no time; write it like 2026-11-20T10:30. That filter was left out."),
        ("since", "1999-12-31", "“1999-12-31” is no time; write it like 2026-11-20T10:30. That filter was left out."),
        ("day", "2026-02-30", "“2026-02-30” is no date; write it like 2026-11-20. That filter was left out."),
        ("limit", "ten", "“ten” is no whole number. That filter was left out."),
        ("before", "1.5", "“1.5” is no whole number. That filter was left out."),
        ("before", "-1", f"“before” is a number from 0 to {NUMBER_MAX}, not -1. That filter was left out."),
        ("limit", "-20", "“limit” is a number from 10 to 100, not -20. That filter was left out."),
        ("before", "٣", "“٣” is no whole number. That filter was left out."),
    ],
)
def test_a_bad_value_is_named_and_the_others_stay(name: str, text: str, notice: str) -> None:
    query, notices = Shown.from_url({"text": "kept", name: text}, owner=3)
    assert (query, notices) == (Shown(owner=3, text="kept"), [notice])


def test_numbers_beyond_their_bounds_are_the_bound_and_long_texts_are_cut() -> None:
    query, notices = Shown.from_url({"limit": "1000", "source": " #12 ", "text": "x" * 999 + "\x00"}, owner=3)
    assert (query.limit, query.source, len(query.text), notices) == (100, "12", FILTER_MAX_CHARS, [])


def test_a_span_that_ends_before_it_begins_is_said() -> None:
    _, notices = Shown.from_url({"since": "2026-11-20T10:30", "until": "2026-11-20T10:30"}, owner=3)
    assert notices == ["“From” is not before “to”, so nothing can be found."]


def test_a_field_of_the_page_cannot_be_said_by_the_url() -> None:
    query, notices = Shown.from_url({"owner": "9"}, owner=3)
    assert (query.owner, notices) == (3, ["There is no filter “owner”. It was left out."])


@pytest.mark.parametrize("name", ["bogus", "statsu", "Kind", "x" * 999])
def test_an_unknown_name_is_said_and_the_others_stay(name: str) -> None:
    query, notices = Shown.from_url({"text": "kept", name: "1"}, owner=3)
    assert (query, notices) == (Shown(owner=3, text="kept"), [f"There is no filter “{name[:40]}”. It was left out."])


@pytest.mark.parametrize(("name", "text"), [("limit", "9"), ("limit", "101"), ("bogus", ""), ("day", "x")])
def test_machines_are_told_all_that_is_not_exact(name: str, text: str) -> None:
    wrong = Shown.wrong({"text": "kept", "before": "12", name: text})
    assert list(wrong) == [name]
    assert name in wrong[name].sentence or text in wrong[name].sentence


@given(st.dictionaries(st.sampled_from(sorted(Shown.parameters())), st.text(max_size=40)))
def test_any_url_gives_a_filter_whose_own_url_gives_the_same(typed: dict[str, str]) -> None:
    query, _ = Shown.from_url(typed, "America/New_York", owner=3)
    again, notices = Shown.from_url(query.args(), "America/New_York", owner=3)
    assert again == query
    assert notices == query.contradictions()


def test_a_moment_in_the_repeated_hour_keeps_its_zone() -> None:
    query, _ = Shown.from_url({"since": "2026-10-25T02:30"}, "Europe/Rome", owner=3)
    assert query.since is not None and query.since.tzinfo == ZoneInfo("Europe/Rome")
