"""Starts runs in the name of the user who asked, each with its entry in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash
from sqlalchemy.orm import Session

from integration.errors import NotNow
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import Run, RunKind
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.web.frame.access import me, record
from integration.web.frame.services import services


def begin(
    connector: Connector,
    kind: RunKind | str,
    *,
    diff: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    action: AuditAction = AuditAction.SYNC_TRIGGERED,
) -> int | None:
    """Start a run and return its id; None where that cannot be now, which the next page says."""

    def audit(session: Session, run: Run) -> None:
        record(session, action, f"run {run.id}", diff, connector)

    try:
        return run_lifecycle.start(services(), connector.id, kind, trigger=me().email, options=options, audit=audit)
    except NotNow as error:
        flash(str(error), "warn")
        return None
