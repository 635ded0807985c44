"""A Mautic that the connector of the pages' tests is connected to, its fields, and a row that fills one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from integration.models import Connector
from integration.pipeline.connectors import connectors, field_list
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer

ROW = {"kind": "order", "alias": "position", "source": "meta_data._vat"}


@contextmanager
def connected_mautic(services: Services, connector_id: int) -> Iterator[MauticServer]:
    """Connect the connector to a Mautic of its own."""
    with MauticServer() as server:
        connectors.connect(
            services,
            connector_id,
            mautic_url=server.url,
            mautic_client_id=server.credentials.client_id,
            mautic_client_secret=server.credentials.client_secret,
        )
        yield server


@contextmanager
def known_mautic(services: Services, connector_id: int) -> Iterator[MauticServer]:
    """Connect it, and read the list of Mautic's fields."""
    with connected_mautic(services, connector_id) as server:
        with services.db.read() as session:
            connector = session.get_one(Connector, connector_id)
        field_list.refresh(services, connector, services.open_mautic(connector))
        yield server
