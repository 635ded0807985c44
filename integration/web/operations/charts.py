"""The chart of pulled and pushed per day, drawn on the server (C4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from integration.pipeline.usage import Sums
from integration.url_filters import Day as TypedDay, UrlFilter

WIDTH, HEIGHT = 720, 200
LEFT, _BOTTOM, _TOP = 56, 24, 12
SPAN_MAX_DAYS, SPAN_USUAL_DAYS = 366, 14


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the site's zone."""

    day: date
    pulled: int
    pushed: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing, in its units."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The days with their bars; `ticks` are (y, label) of the horizontal lines, `labels` (x, text) below the days."""

    days: Sequence[Day]
    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, str]]
    labels: Sequence[tuple[float, str]]
    title: str


class SpanQuery(UrlFilter):
    """The days that a URL asks for."""

    since: TypedDay = None
    until: TypedDay = None

    def contradictions(self) -> list[str]:
        """Return nothing: days in the wrong order are swapped."""
        return []


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last day that are shown."""

    first: date
    last: date

    @classmethod
    def parse(cls, args: Mapping[str, str], today: date) -> tuple[Span, list[str]]:
        """Return the days of a URL and a notice for each value that could not be used."""
        typed, notices = SpanQuery.from_url(args)
        last = typed.until or today
        first = typed.since or last - timedelta(days=SPAN_USUAL_DAYS - 1)
        if first > last:
            notices.append("The first day was after the last one; they were swapped.")
            first, last = last, first
        if (last - first).days >= SPAN_MAX_DAYS:
            notices.append(f"At most {SPAN_MAX_DAYS} days are shown.")
            first = last - timedelta(days=SPAN_MAX_DAYS - 1)
        return cls(first, last), notices

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return where the first day begins and the last one ends."""
        end = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return datetime.combine(self.first, time(), zone), end


def by_day(hours: Sequence[Sums], span: Span, zone: ZoneInfo) -> list[Day]:
    """Return every day of the span with what its hours add up to."""
    found: dict[date, list[int]] = {}
    for hour in hours:
        if hour.hour is not None:
            sums = found.setdefault(hour.hour.astimezone(zone).date(), [0, 0])
            sums[0] += hour.pulled
            sums[1] += hour.pushed
    days = (span.first + timedelta(days=n) for n in range((span.last - span.first).days + 1))
    return [Day(day, *found.get(day, (0, 0))) for day in days]


def drawn(days: Sequence[Day]) -> Chart:
    """Return the drawing of some days."""
    most, ticks = axis(max((max(day.pulled, day.pushed) for day in days), default=0))
    step = (WIDTH - LEFT) / max(len(days), 1)
    width = max(min(step * 0.38, 22), 0.6)
    bars = [each for place, day in enumerate(days) for each in _pair(place, day, step, width, most)]
    every = max(1, -(-len(days) // 8))
    labels = [
        (LEFT + step * (place + 0.5), f"{day.day.day} {day.day:%b}")
        for place, day in enumerate(days)
        if not place % every
    ]
    pulled, pushed = sum(day.pulled for day in days), sum(day.pushed for day in days)
    title = f"{pulled:,} records pulled from the store and {pushed:,} pushed to Mautic in {len(days)} days."
    return Chart(days, bars, ticks, labels, title)


def axis(greatest: int) -> tuple[int, list[tuple[float, str]]]:
    """Return where an axis ends that holds a value, and its lines as (y, label)."""
    most = _round(greatest)
    if most <= 1:
        return most, [(_y(0, 1), "0")]
    return most, [(_y(value, most), f"{value:,}") for value in (0, most // 2, most)]


def bar(x: float, value: int, width: float, most: int, kind: str) -> Bar:
    """Return the bar of a value, its left edge at `x`; `most` is where the axis ends."""
    top = _y(value, most)
    return Bar(round(x, 1), round(top, 1), round(width, 1), round(HEIGHT - _BOTTOM - top, 1), kind)


def _pair(place: int, day: Day, step: float, width: float, most: int) -> list[Bar]:
    middle = LEFT + step * (place + 0.5)
    return [bar(middle - width, day.pulled, width, most, "pulled"), bar(middle, day.pushed, width, most, "pushed")]


def _y(value: int, most: int) -> float:
    room = HEIGHT - _BOTTOM - _TOP
    return HEIGHT - _BOTTOM - room * value / max(most, 1)


def _round(value: int) -> int:
    """Return the next number that reads well on an axis: 1, 2 or 5 times a power of ten."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if value <= factor * size:
                return factor * size
        size *= 10
