"""Settings of how and when a connector syncs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from integration.settings.kinds import Crontab, Settings, Truth, Whole


class SyncModule(Settings):
    """Schedule and batching; a crontab goes before `every`. Descriptions are the help on pages."""

    #: Seconds.
    every: Whole = Field(default=300, ge=0, le=604_800, title="Read changes")
    webhooks: Truth = Field(default=True, title="Webhooks")
    batch_start: Whole = Field(
        default=50,
        ge=1,
        le=200,
        title="First batch",
        description="Records in the first batch to Mautic; the size then follows the answer time.",
    )
    batch_max: Whole = Field(
        default=200, ge=1, le=200, title="Largest batch", description="At most 200, Mautic's own limit."
    )
    lanes: Whole = Field(
        default=2, ge=1, le=8, title="Calls at once", description="How many calls to Mautic may be under way at a time."
    )
    cron: Crontab = Field(default="", title="Or by a crontab")
    hourly_limit: Whole = Field(
        default=0,
        ge=0,
        le=10_000_000,
        title="Calls allowed in an hour",
        description="If Mautic's host limits calls; 0 = no limit that you know of.",
    )
    #: What is done where somebody else has changed a contact (D6).
    policy: Literal["store", "mautic", "fill"] = Field(
        default="store",
        title="When somebody changed the contact in Mautic",
        description="The store wins: its value is written. Otherwise a value that somebody changed after our last "
        "write is kept, and the record shows both.",
    )
    proof_every: Whole = Field(
        default=20,
        ge=0,
        le=1000,
        title="Read back every",
        description="One batch of so many has three contacts read back and compared; 0 = never.",
    )
