"""Settings of when somebody is told."""

from __future__ import annotations

from pydantic import Field

from integration.settings.kinds import Settings, Whole


class AlertModule(Settings):
    """When somebody is told (F3). Descriptions are the help on pages."""

    failing_percent: Whole = Field(
        default=10,
        ge=1,
        le=100,
        title="Failures, in a hundred records",
        description="An alert opens when more of the last hour fail.",
    )
    failing_least: Whole = Field(
        default=20,
        ge=1,
        le=1_000_000,
        title="From so many records on",
        description="Where fewer records ended in the last hour, none opens.",
    )
    periods: Whole = Field(
        default=3,
        ge=1,
        le=1000,
        title="Periods without a sync",
        description="An alert opens after so many, and never before 15 minutes.",
    )
    dead_letters: Whole = Field(
        default=0,
        ge=0,
        le=1_000_000,
        title="Dead letters",
        description="An alert opens when more than so many wait; 0 = with the first one.",
    )
