"""What the pipeline stands on: database, clock, vault, and the clients of both systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from integration.clock import Clock
from integration.config import Deployment
from integration.http.breaker import Gate, Obedient
from integration.http.transport import Exchange, Observer, Route
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from integration.models.connector import Connector
from integration.models.database import Database, open_database
from integration.models.vault import Vault
from integration.pipeline import installation
from integration.pipeline.connectors import fingerprint
from integration.pipeline.connectors.breakers import Breakers
from integration.pipeline.disk import Disk
from integration.pipeline.group_commit import GroupCommit
from integration.pipeline.leases.watch import LeaseWatch
from integration.pipeline.stored_tokens import OpenedTokens, StoredTokens
from integration.pipeline.wakeups import WakeupSignal
from integration.settings import Modules
from integration.store.access import StoreAccess
from integration.store.client import StoreClient
from integration.streams import asked

#: Where the demo's store and Mautic listen.
DEMO_HOSTS = ("127.0.0.1",)

Observers = Callable[[Connector], Observer | None]
#: Called inside the accepting transaction with the connector's id, so that an engine can enqueue its job with it.
OnAccept = Callable[[Any, int], None]


@dataclass
class Services:
    """Everything a piece of work needs from outside; one per process."""

    db: Database
    clock: Clock
    vault: Vault
    deployment: Deployment
    observers: Observers = lambda connector: None
    wakeup: WakeupSignal = field(default_factory=WakeupSignal)
    on_accept: OnAccept = lambda session, connector_id: None
    breakers: Breakers = field(init=False)
    tokens: OpenedTokens = field(init=False)
    disk: Disk = field(init=False)
    leases: LeaseWatch = field(init=False)
    webhooks: GroupCommit[Any] = field(init=False)

    def __post_init__(self) -> None:
        """Make what this process knows: breakers, opened tokens, the disk, leases, and the webhooks on their way."""
        self.breakers = Breakers(self.db, self.clock)
        self.tokens = OpenedTokens(self.vault)
        self.disk = Disk(self.db, self.deployment)
        self.leases = LeaseWatch(self.clock)
        self.webhooks = GroupCommit()

    @property
    def base_url(self) -> str:
        """Return the address that people and other systems reach us at, without a slash at the end.

        PUBLIC_URL comes first, then where the pages were last served: a command has no other way to know that.
        """
        if self.deployment.public_url:
            return self.deployment.base_url
        with self.db.read() as session:
            return installation.kept_address(session) or self.deployment.base_url

    def secrets(self, connector: Connector) -> dict[str, str]:
        """Return the connector's secrets, opened; raises SettingError when they were sealed with another key."""
        return self.vault.open(connector.secrets)

    def readable_secrets(self, connector: Connector) -> dict[str, str]:
        """Return the connector's secrets, none when they were sealed with another key: for pages, which must show."""
        return self.vault.readable(connector.secrets)

    def modules(self, connector: Connector) -> Modules:
        """Return the connector's module settings, typed."""
        return Modules.from_json(connector.settings)

    def store_access(
        self, connector: Connector, secrets: dict[str, str] | None = None, modules: Modules | None = None
    ) -> StoreAccess:
        """Return how the connector's store is reached, and what it is asked by its settings, or by other `modules`."""
        secrets = self.secrets(connector) if secrets is None else secrets
        return StoreAccess(
            url=connector.store_url,
            key=secrets.get("store_key", ""),
            secret=secrets.get("store_secret", ""),
            ca=connector.store_ca or None,
            rest_root=connector.store_rest_root,
            asked=asked.by(modules or self.modules(connector)),
        )

    def mautic_access(self, connector: Connector, secrets: dict[str, str] | None = None) -> MauticAccess:
        """Return how the connector's Mautic is reached."""
        secrets = self.secrets(connector) if secrets is None else secrets
        return MauticAccess(
            url=connector.mautic_url,
            method=connector.mautic_method,  # type: ignore[arg-type]  # the column holds one of the literals
            user=connector.mautic_user,
            password=secrets.get("mautic_password", ""),
            client_id=connector.mautic_client_id,
            client_secret=secrets.get("mautic_client_secret", ""),
            ca=connector.mautic_ca or None,
        )

    def route(self, connector: Connector, ca: str | None = None) -> Route:
        """Return the deployment's rules for the connector's outgoing calls; the demo's two ends are on this machine."""
        allowed = self.deployment.private_hosts + (DEMO_HOSTS if connector.is_demo else ())
        return Route(ca=ca, private_allowed=allowed)

    def gate(self, connector: Connector, service: str, obeys: bool) -> Gate:
        """Return what guards the calls to one side ("store", "mautic"); one that `obeys` refuses them while open."""
        breaker = self.breakers.of(connector.id, service)
        return Obedient(breaker) if obeys else breaker

    def open_store(
        self,
        connector: Connector,
        correlation: str = "",
        *,
        obeys: bool = False,
        within_s: float | None = None,
        modules: Modules | None = None,
    ) -> StoreClient:
        """Return a client of the connector's store; one that `obeys` makes no call while the breaker is open.

        `within_s` are the seconds that a call may take where somebody waits for it, `modules` settings that are only
        being tried.
        """
        access = self.store_access(connector, modules=modules)
        route = self.route(connector, access.ca)
        if within_s is not None:
            route = replace(route, connect_timeout=within_s, read_timeout=within_s, total_timeout=within_s)
        gate = self.gate(connector, "store", obeys)
        client = StoreClient(access, route, self.observers(connector), correlation, gate)
        client.read_only = fingerprint.refusal(connector, "store")
        return client

    def open_mautic(
        self,
        connector: Connector,
        correlation: str = "",
        *,
        quick: bool = False,
        watch: Observer | None = None,
        obeys: bool = False,
    ) -> MauticClient:
        """Return a client of the connector's Mautic, its token kept in the database.

        `quick` is for where a page waits; `watch` sees each exchange beside the connector's own observer. One that
        `obeys` makes no call while the breaker is open: for work that goes on by itself, not where a person asks.
        """
        access = self.mautic_access(connector)
        box = StoredTokens(self, connector.id, connector.mautic_token)
        route = self.route(connector, access.ca)
        route = replace(route, connect_timeout=3.0, read_timeout=8.0) if quick else route
        observer = both(self.observers(connector), watch)
        gate = self.gate(connector, "mautic", obeys)
        client = MauticClient(access, box, self.clock, route, observer, correlation, gate)
        client.read_only = fingerprint.refusal(connector, "mautic")
        return client


def both(one: Observer | None, other: Observer | None) -> Observer | None:
    """Return an observer that tells both; None when there is neither."""
    if one is None or other is None:
        return one or other

    def observe(exchange: Exchange) -> None:
        one(exchange)
        other(exchange)

    return observe


def open_services(deployment: Deployment, *, database: Database | None = None, clock: Clock | None = None) -> Services:
    """Return the services of this process."""
    database = database or open_database(deployment.database_url, deployment.database_connections)
    return Services(database, clock or Clock(), Vault(deployment.secret_key, deployment.secret_key_old), deployment)


def with_observers(services: Services, observers: Observers) -> Services:
    """Return the services with another way to watch exchanges."""
    watched = replace(services, observers=observers)
    watched.breakers, watched.tokens, watched.disk = services.breakers, services.tokens, services.disk
    watched.leases, watched.webhooks = services.leases, services.webhooks
    return watched
