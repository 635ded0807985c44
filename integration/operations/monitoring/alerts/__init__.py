"""Alerts (F3): one message when something goes wrong, one when it is well again, by e-mail and webhook.

Causes are looked for in the database only. What is to be told is a row, written with the alert that it is about, so
nothing is lost and nothing is told twice.
"""

from __future__ import annotations

from integration.operations.monitoring.alerts.book import history, open_alerts
from integration.operations.monitoring.alerts.direct import tell, tell_end
from integration.operations.monitoring.alerts.disks import report as report_disk
from integration.operations.monitoring.alerts.evaluation import evaluate
from integration.operations.monitoring.alerts.finding import CAUSES
from integration.operations.monitoring.alerts.sending import send

__all__ = ["CAUSES", "evaluate", "history", "open_alerts", "report_disk", "send", "tell", "tell_end"]
