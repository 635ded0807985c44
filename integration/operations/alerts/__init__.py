"""Alerts (F3): one message when something goes wrong, one when it is well again, by e-mail and webhook.

Causes are looked for in the database only. What is to be told is a row, written with the alert that it is about, so
nothing is lost and nothing is told twice.
"""

from __future__ import annotations

from integration.operations.alerts.book import history
from integration.operations.alerts.book import open_alerts
from integration.operations.alerts.evaluation import evaluate
from integration.operations.alerts.finding import CAUSES
from integration.operations.alerts.sending import send

__all__ = ["CAUSES", "evaluate", "history", "open_alerts", "send"]
