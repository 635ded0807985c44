"""Whether a connector knows what it needs to reach both systems."""

from __future__ import annotations

from collections.abc import Mapping

from integration.models.connector import Connector
from integration.pipeline.services import Services
from integration.settings.connection import SECRETS


def store_lacks(connector: Connector, secrets: Mapping[str, str]) -> list[str]:
    """Return what is not known yet of how the store is reached, by the settings' names."""
    return _empty(connector, secrets, "store_url", "store_key", "store_secret")


def mautic_lacks(connector: Connector, secrets: Mapping[str, str]) -> list[str]:
    """Return what is not known yet of how Mautic is reached in the chosen way, by the settings' names."""
    basic = connector.mautic_method == "basic"
    way = ("mautic_user", "mautic_password") if basic else ("mautic_client_id", "mautic_client_secret")
    return _empty(connector, secrets, "mautic_url", *way)


def _empty(connector: Connector, secrets: Mapping[str, str], *names: str) -> list[str]:
    return [name for name in names if not (secrets.get(name) if name in SECRETS else getattr(connector, name))]


def store_known(connector: Connector, secrets: Mapping[str, str]) -> bool:
    """Return whether address and key of the store are known."""
    return not store_lacks(connector, secrets)


def mautic_known(connector: Connector, secrets: Mapping[str, str]) -> bool:
    """Return whether address and credentials of Mautic are known, and its sign-in was allowed where it has to be."""
    allowed = connector.mautic_method != "authorization_code" or bool(connector.mautic_token)
    return allowed and not mautic_lacks(connector, secrets)


def both_known(services: Services, connector: Connector) -> bool:
    """Return whether store and Mautic can be asked."""
    secrets = services.readable_secrets(connector)
    return store_known(connector, secrets) and mautic_known(connector, secrets)
