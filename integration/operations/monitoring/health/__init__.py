"""Whether a connector is well (D7): one definition, read by Overview, alerts, the platform view and metrics."""

from integration.operations.monitoring.health import facts
from integration.operations.monitoring.health.facts import Facts
from integration.operations.monitoring.health.state import CODES, Health, of
from integration.operations.monitoring.health.symptoms import Symptom, symptoms

__all__ = ["CODES", "Facts", "Health", "Symptom", "facts", "of", "symptoms"]
