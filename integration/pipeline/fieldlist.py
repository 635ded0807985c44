"""The connector's list of Mautic fields: cached, refreshed hourly, completed at first need when that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from integration.errors import ServiceError
from integration.mapping.fields import check
from integration.mapping.fields import needs
from integration.mautic.client import MauticClient
from integration.mautic.fields import Fields
from integration.models.connector import Connector
from integration.modules import Modules
from integration.pipeline.desk import fields_from_json
from integration.pipeline.desk import fields_to_json
from integration.pipeline.ports import Ports
from integration.plans import FieldNeed
from integration.plans import MauticField

MAX_AGE = timedelta(hours=1)


def ensure_fields(ports: Ports, connector: Connector, client: MauticClient) -> Connector:
    """Return the connector with a field list that is at most an hour old; raises ServiceError when none can be had."""
    now = ports.clock.now()
    if connector.fields and connector.fields_at and now - connector.fields_at < MAX_AGE:
        return connector
    try:
        return refresh(ports, connector, client)
    except ServiceError:
        if connector.fields:
            return connector
        raise


def refresh(ports: Ports, connector: Connector, client: MauticClient) -> Connector:
    """Read the fields from Mautic, create missing ones if the settings say so, and store the list."""
    limits = {field.alias: field.limit for field in fields_from_json(connector.fields).values() if field.limit}
    mautic = Fields(client, limits)
    found = mautic.read()
    modules = Modules.from_json(connector.settings)
    if modules.orders.create_fields:
        found = {**found, **create_missing(mautic, needs(modules), found)}
    return store(ports, connector, found, client.version)


def look(ports: Ports, connector: Connector, correlation: str = "") -> Connector:
    """Return the connector with a field list, for a dry run: what is missing in Mautic is not created."""
    now = ports.clock.now()
    if connector.fields and connector.fields_at and now - connector.fields_at < MAX_AGE:
        return connector
    client = ports.open_mautic(connector, correlation)
    limits = {field.alias: field.limit for field in fields_from_json(connector.fields).values() if field.limit}
    return store(ports, connector, Fields(client, limits).read(), client.version)


def create_missing(
    mautic: Fields, wanted: tuple[FieldNeed, ...], found: Mapping[str, MauticField]
) -> dict[str, MauticField]:
    """Create the missing fields one after another and return them by the alias that Mautic gave them."""
    missing = [state.need for state in check(wanted, found) if state.state == "missing"]
    return {field.alias: field for field in mautic.create_all(missing)}


def store(
    ports: Ports, connector: Connector, found: Mapping[str, MauticField], version: str | None = None
) -> Connector:
    """Keep the list with the connector and return it."""
    with ports.db.write() as session:
        row = session.get_one(Connector, connector.id)
        row.fields, row.fields_at = fields_to_json(found), ports.clock.now()
        if version:
            row.mautic_facts = {**row.mautic_facts, "version": version}
        session.flush()
        session.expunge_all()
    return row
