"""What Prometheus reads: figures of each connector, collected when it asks (G3, X18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.models.alert import Alert
from integration.models.connector import Connector
from integration.models.counts import Meter, RecordCount
from integration.models.hold import Hold
from integration.models.run import Run
from integration.models.schedule import Heartbeat
from integration.operations.monitoring import health
from integration.operations.monitoring.health import Facts
from integration.pipeline.connectors.credentials import both_known
from integration.pipeline.services import Services

_DAY = timedelta(hours=24)
_METERED = ("pulled", "pushed", "skipped", "failed", "mautic_calls", "store_calls", "single_calls")


def text(services: Services, connectors: Sequence[Connector]) -> bytes:
    """Return the metrics of some connectors in Prometheus' text form; nothing of any other is in it."""
    registry = CollectorRegistry()
    registry.register(_Figures(services, connectors))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, services: Services, connectors: Sequence[Connector]) -> None:
        self._services = services
        self._names = {each.id: [str(each.id), each.name] for each in connectors}

    def collect(self) -> Iterable[Metric]:
        now = self._services.clock.now()
        with self._services.db.read() as session:
            yield self._grouped(session, "records", "Records by state.", RecordCount.state, RecordCount.records)
            facts = health.facts.many(session, now, self._names)
            yield self._lag(facts)
            yield self._health(session, now, facts)
            yield self._counted(session, "open_holds", "Holds in force.", Hold, Hold.released_at.is_(None))
            yield self._counted(session, "open_alerts", "Alerts that last.", Alert, Alert.ended_at.is_(None))
            yield self._runs(session, now)
            yield from self._meters(session)
            yield self._heartbeats(session, now)

    def _gauge(self, name: str, about: str, *more: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"woo_mautic_{name}", about, labels=["connector", "name", *more])

    def _grouped(self, session: Session, name: str, about: str, by: object, counter: object) -> Metric:
        gauge = self._gauge(name, about, "state")
        query = select(RecordCount.connector_id, by, func.sum(counter)).group_by(RecordCount.connector_id, by)  # type: ignore[call-overload]  # columns
        for connector_id, state, number in session.execute(query.where(RecordCount.connector_id.in_(self._names))):
            gauge.add_metric([*self._names[connector_id], state], float(number))
        return gauge

    def _lag(self, facts: Mapping[int, Facts]) -> Metric:
        gauge = self._gauge("lag_seconds", "Age of the oldest live change that waits.")
        for connector_id, names in self._names.items():
            gauge.add_metric(names, facts[connector_id].lag_s)
        return gauge

    def _health(self, session: Session, now: datetime, facts: Mapping[int, Facts]) -> Metric:
        gauge = self._gauge("health", "1 for the state that the connector is in, as Overview shows it.", "state")
        for connector in session.scalars(select(Connector).where(Connector.id.in_(self._names))):
            connected = both_known(self._services, connector)
            found = health.of(session, now, connector, connected=connected, known=facts[connector.id])
            for code in health.CODES:
                gauge.add_metric([*self._names[connector.id], code], float(code == found.code))
        return gauge

    def _counted(self, session: Session, name: str, about: str, model: type[Hold | Alert], which: object) -> Metric:
        gauge = self._gauge(name, about)
        query = select(model.connector_id, func.count()).where(which, model.connector_id.in_(self._names))  # type: ignore[arg-type]  # a condition
        counts = dict(session.execute(query.group_by(model.connector_id)).tuples().all())
        for connector_id, names in self._names.items():
            gauge.add_metric(names, counts.get(connector_id, 0))
        return gauge

    def _runs(self, session: Session, now: datetime) -> Metric:
        gauge = self._gauge("runs_24h", "Runs of the last 24 hours by state.", "state")
        query = select(Run.connector_id, Run.state, func.count()).where(
            Run.connector_id.in_(self._names), Run.created_at >= now - _DAY
        )
        for connector_id, state, number in session.execute(query.group_by(Run.connector_id, Run.state)):
            gauge.add_metric([*self._names[connector_id], state], number)
        return gauge

    def _meters(self, session: Session) -> Iterable[Metric]:
        sums = [func.sum(getattr(Meter, name)) for name in _METERED]
        query = select(Meter.connector_id, *sums).where(Meter.connector_id.in_(self._names))
        rows = session.execute(query.group_by(Meter.connector_id)).all()
        for place, name in enumerate(_METERED, 1):
            counter = CounterMetricFamily(
                f"woo_mautic_{name}", f"Sum of {name.replace('_', ' ')}.", labels=["connector", "name"]
            )
            for row in rows:
                counter.add_metric(self._names[row[0]], float(row[place]))
            yield counter

    def _heartbeats(self, session: Session, now: datetime) -> Metric:
        gauge = GaugeMetricFamily("woo_mautic_heartbeat_age_seconds", "Since a role last beat.", labels=["role"])
        for role, at in session.execute(select(Heartbeat.role, func.max(Heartbeat.beat_at)).group_by(Heartbeat.role)):
            gauge.add_metric([role], (now - at).total_seconds())
        return gauge
