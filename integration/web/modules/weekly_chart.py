"""The chart of carts per week, drawn on the server (P62)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integration.queries.carts import Week
from integration.web.operations.charts import HEIGHT, LEFT, WIDTH, Bar, axis, bar
from integration.words import counted


@dataclass(frozen=True, slots=True)
class WeeklyChart:
    """Bars of abandoned and recovered carts; `ticks` are (y, label), `labels` (x, text) below the weeks."""

    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, str]]
    labels: Sequence[tuple[float, str]]
    title: str
    size: tuple[int, int] = (WIDTH, HEIGHT)


def drawn(weeks: Sequence[Week]) -> WeeklyChart:
    """Return the drawing of some weeks."""
    most, ticks = axis(max((week.figures.left for week in weeks), default=0))
    step = (WIDTH - LEFT) / max(len(weeks), 1)
    width = min(step * 0.38, 22)
    bars, labels = [], []
    for place, week in enumerate(weeks):
        middle = LEFT + step * (place + 0.5)
        bars.append(bar(middle - width, week.figures.left, width, most, "pulled"))
        bars.append(bar(middle, week.figures.recovered, width, most, "pushed"))
        labels.append((middle, f"{week.first.day} {week.first:%b}"))
    abandoned = sum(week.figures.left for week in weeks)
    recovered = sum(week.figures.recovered for week in weeks)
    title = f"{counted(abandoned, 'abandoned cart')} and {counted(recovered, 'recovered one')} in {len(weeks)} weeks."
    return WeeklyChart(bars, ticks, labels[::2], title)
