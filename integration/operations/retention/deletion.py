"""Deletes a connector with all that belongs to it, for good; nothing in the store's or Mautic's records is touched."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, delete as deleted_from, exists, select, tuple_
from sqlalchemy.orm import Session

from integration.errors import IntegrationError, ServiceError, SettingError
from integration.models import Base
from integration.models.connector import Connector, ConnectorState
from integration.models.counts import Meter
from integration.models.delivery import Delivery, DeliveryState
from integration.models.run import GOING, Run
from integration.models.sql import table_of
from integration.operations.support.debug_capture import Capture
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.connectors import connectors, webhook_registration
from integration.pipeline.payloads import files
from integration.pipeline.services import Services

ROWS_AT_ONCE = 1000
#: Goes with the connector in one piece: a counter that falls, Prometheus takes for one that began anew.
_AT_THE_END = table_of(Meter)
_RUN_GOING = IntegrationError(
    "run_going", "A run of this connector is going.", "Cancel it, or wait for its end; then delete the connector."
)
_BUSY = IntegrationError(
    "busy", "A batch of this connector is on its way to Mautic.", "The connector is paused now; try again in a minute."
)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted: the name, the settings as they can be taken away, and why webhooks stayed in the store."""

    organisation_id: int
    connector_id: int
    name: str
    settings: dict[str, Any]
    webhooks_left: str = ""

    @property
    def diff(self) -> dict[str, list[Any]]:
        """Return what the audit log keeps."""
        return {"name": [self.name, None], "settings": [self.settings, None]}


def delete(
    services: Services,
    connector_id: int,
    *,
    audit: Audit[Deleted] = unaudited,
    webhooks: bool = True,
    pause: Callable[[], None] = lambda: time.sleep(0.01),
) -> Deleted:
    """Delete a connector: it is paused, its webhooks leave the store, then its rows go a little at a time.

    Without `webhooks` the store is not asked. What is interrupted leaves a paused connector, which is deleted by asking
    again. Raises IntegrationError (run_going, busy) while something of it is under way. Audit entries stay.
    """
    connector = shut(services, connector_id)
    done = Deleted(
        connector.organisation_id,
        connector_id,
        connector.name,
        connectors.exported(services, connector),
        _remove_webhooks(services, connector) if webhooks else "",
    )
    for table in reversed(Base.metadata.sorted_tables):
        if (of_connector := _belongs(table, connector_id)) is not None and table is not _AT_THE_END:
            _empty(services, table, of_connector, pause)
    with services.db.write() as session:
        session.execute(deleted_from(Connector).where(Connector.id == connector_id))
        audit(session, done)
    # Payload files lie in a folder for each run; those of runs that are no more go with it.
    files.remove_folders(services)
    Capture(services.deployment.instance_path / "logs", services.clock).remove(connector_id)
    return done


def confirmed(connector: Connector, typed: str) -> None:
    """Raise SettingError (name) unless the connector's own name was typed."""
    if typed.strip() != connector.name:
        raise SettingError("name", "That is not the name of this connector.", f"Type “{connector.name}” to delete it.")


def shut(services: Services, connector_id: int) -> Connector:
    """Pause a connector that is to go and return it; raises IntegrationError (run_going, busy)."""
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        _nothing_under_way(session, Run, Run.connector_id == connector_id, Run.state.in_(GOING), error=_RUN_GOING)
        connector.state = ConnectorState.PAUSED
    with services.db.read() as session:
        leased = (Delivery.connector_id == connector_id, Delivery.state == DeliveryState.LEASED)
        _nothing_under_way(session, Delivery, *leased, error=_BUSY)
        return session.get_one(Connector, connector_id)


def _nothing_under_way(session: Session, model: Any, *which: ColumnElement[bool], error: IntegrationError) -> None:
    if session.scalar(select(exists().where(*which).select_from(model))):
        raise error


def _remove_webhooks(services: Services, connector: Connector) -> str:
    """Take our webhooks out of the store; a store that is gone must not keep its connector from being deleted."""
    if not connector.webhook_ids:
        return ""
    try:
        webhook_registration.remove(services, connector.id)
    except (ServiceError, SettingError) as error:
        return str(error)
    return ""


def _belongs(table: Table, connector_id: int) -> ColumnElement[bool] | None:
    """Return which rows of a table are the connector's, None for a table of others or one that its parent empties."""
    targets = {key.target_fullname: key.parent for key in table.foreign_keys}
    if (column := targets.get("connector.id")) is not None:
        return column == connector_id
    if (column := targets.get("run.id")) is not None:
        return column.in_(select(Run.id).where(Run.connector_id == connector_id))
    return None


def _empty(services: Services, table: Table, which: ColumnElement[bool], pause: Callable[[], None]) -> None:
    key = tuple_(*table.primary_key.columns)
    chosen = select(*table.primary_key.columns).where(which).limit(ROWS_AT_ONCE)
    while True:
        with services.db.write() as session:
            rows = session.execute(deleted_from(table).where(key.in_(chosen)).returning(*table.primary_key.columns))
            gone = len(rows.all())
        if gone < ROWS_AT_ONCE:
            return
        pause()
