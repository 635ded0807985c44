"""Connectors: a store paired with a Mautic."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class ConnectorState(StrEnum):
    """Whether the schedule and the worker look after the connector."""

    ACTIVE = "active"
    PAUSED = "paused"
    #: The store may be a copy: nothing is written to either side (pipeline/connectors/fingerprint.py).
    READ_ONLY = "read_only"


class Connector(Base):
    """A pair of systems, its settings and what is known of both.

    `secrets` is sealed by the vault: store_key, store_secret, mautic_password, mautic_client_secret, webhook_secret.
    `mautic_token` is a sealed OAuth token. `cursors` holds where each incremental read stands. Entries of the sync log
    with an id up to `log_cleared_id` are cleared. `cart_key` names the connector in the shop's pages, for everybody
    to see. `triggers` maps what sends a note, an e-mail or a reminder to the moment it was set. `score_report` is
    what the last computation of RFM classes found (operations/scoring/report.py). `worked_by` is the process that had
    the connector's turn last (pipeline/leases/turns.py). `store_ca` and `mautic_ca` are the PEM of
    the authorities that are trusted beside the public ones, or the path of a file that could not be read when they
    came to be kept here (see certificates.is_unread). `fingerprint` is what its store is known by.
    """

    __tablename__ = "connector"
    __table_args__ = (Index("uq_connector_cart_key", "cart_key", unique=True),)

    id: Mapped[Key]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10), default=ConnectorState.ACTIVE)
    is_demo: Mapped[bool] = mapped_column(default=False)
    store_url: Mapped[str] = mapped_column(String(500), default="")
    store_rest_root: Mapped[str] = mapped_column(String(500), default="")
    store_ca: Mapped[str] = mapped_column(Text, default="", server_default="")
    store_facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    mautic_url: Mapped[str] = mapped_column(String(500), default="")
    mautic_method: Mapped[str] = mapped_column(String(20), default="client_credentials")
    mautic_user: Mapped[str] = mapped_column(String(254), default="")
    mautic_client_id: Mapped[str] = mapped_column(String(254), default="")
    mautic_ca: Mapped[str] = mapped_column(Text, default="", server_default="")
    mautic_facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    mautic_token: Mapped[str | None] = mapped_column(Text)
    token_lease_until: Mapped[datetime | None]
    worked_by: Mapped[str] = mapped_column(String(32), default="", server_default="")
    secrets: Mapped[str | None] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cursors: Mapped[dict[str, Any]] = mapped_column(default=dict)
    fields: Mapped[list[Any]] = mapped_column(default=list)
    fields_at: Mapped[datetime | None]
    webhook_path: Mapped[str] = mapped_column(String(64), unique=True)
    cart_key: Mapped[str | None] = mapped_column(String(32))
    webhook_ids: Mapped[dict[str, Any]] = mapped_column(default=dict)
    last_webhook_at: Mapped[datetime | None]
    initial_done_at: Mapped[datetime | None]
    debug_until: Mapped[datetime | None]
    triggers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    score_report: Mapped[dict[str, Any] | None]
    fingerprint: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    log_cleared_id: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
