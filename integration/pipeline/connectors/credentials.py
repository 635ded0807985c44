"""Whether a connector knows what it needs to reach both systems."""

from __future__ import annotations

from collections.abc import Mapping

from integration.models.connector import Connector
from integration.pipeline.services import Services


def store_known(connector: Connector, secrets: Mapping[str, str]) -> bool:
    """Return whether address and key of the store are known."""
    return bool(connector.store_url and secrets.get("store_key") and secrets.get("store_secret"))


def mautic_known(connector: Connector, secrets: Mapping[str, str]) -> bool:
    """Return whether address and credentials of Mautic are known, and its sign-in was allowed where it has to be."""
    if not connector.mautic_url:
        return False
    if connector.mautic_method == "basic":
        return bool(connector.mautic_user and secrets.get("mautic_password"))
    known = bool(connector.mautic_client_id and secrets.get("mautic_client_secret"))
    return known and (connector.mautic_method == "client_credentials" or bool(connector.mautic_token))


def both_known(services: Services, connector: Connector) -> bool:
    """Return whether store and Mautic can be asked."""
    secrets = services.readable_secrets(connector)
    return store_known(connector, secrets) and mautic_known(connector, secrets)
