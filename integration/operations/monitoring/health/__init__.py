"""Whether a connector is well (D7): one definition, read by Overview, alerts, the platform view and metrics."""

from integration.operations.monitoring.health.reading import last_read, sent_nothing
from integration.operations.monitoring.health.state import CODES, Health, of
from integration.operations.monitoring.health.symptoms import Symptom, symptoms
from integration.operations.monitoring.health.waiting import lag_s

__all__ = ["CODES", "Health", "Symptom", "lag_s", "last_read", "of", "sent_nothing", "symptoms"]
