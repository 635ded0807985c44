"""RFM: by which borders the shop's buyers are parted into classes, and how many are in each (X14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from integration import money
from integration.mapping import scores
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.scoring import computing, schedule
from integration.operations.scoring.buyers import CLASSES, PARTS
from integration.operations.scoring.report import FIGURES, Report
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.services import services

bp = Blueprint("rfm", __name__, url_prefix="/connectors/<int:connector_id>/orders/rfm")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class, 5 the best: of each figure how many buyers are in it and from what on; "" for the lowest class."""

    number: int
    counts: Sequence[int]
    last_after: datetime | None
    orders_over: str
    spent_over: str


@bp.get("")
@connector_view
def index(connector: Connector) -> str:
    """Show the last computation."""
    report = Report.of(connector.score_report)
    return render_template(
        "modules/orders/rfm.html",
        connector=connector,
        report=report,
        rows=_rows(report) if report else [],
        moments=[datetime.fromisoformat(at) if at else None for at in (report.at, report.done_at)] if report else [],
        segments=scores.SEGMENTS,
        on=computing.is_on(services().modules(connector)),
        may_act=me().may(Role.SUPPORT),
    )


@bp.post("/now")
@needs(Role.SUPPORT)
@connector_view
def compute(connector: Connector) -> ResponseReturnValue:
    """Let the classes be computed within a minute instead of at night."""
    with services().db.write() as session:
        schedule.bring_forward(session, services().clock.now(), connector.id)
        record(session, AuditAction.SYNC_TRIGGERED, "rfm", {"computation": [None, "asked for"]}, connector)
    flash("The classes are computed within a minute.", "ok")
    return redirect(url_for("rfm.index", connector_id=connector.id))


def _rows(report: Report) -> list[ClassRow]:
    borders = report.parted
    if borders is None:
        return []
    counts = {name: report.counts.get(name, {}) for name in FIGURES}
    return [
        ClassRow(
            number,
            [counts[name].get(str(number), 0) for name in FIGURES],
            borders.last_at[number - 2] if number > 1 else None,
            f"{borders.orders[number - 2]:,}" if number > 1 else "",
            _amount(borders.spent[number - 2], report.currency) if number > 1 else "",
        )
        for number in range(CLASSES, 0, -1)
    ]


def _amount(parts: int, currency: str) -> str:
    return f"{money.text(Decimal(parts) / PARTS, currency)} {currency}".strip()
