"""The frame of every page: menu, tabs, connector chooser, and what holds the work up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, current_app, g, request, session as cookie, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.connector import Connector
from integration.models.hold import Hold
from integration.models.organisation import Organisation
from integration.models.sql import Total
from integration.models.user import Role
from integration.operations.monitoring import heartbeat
from integration.pipeline import installation
from integration.pipeline.connectors import fingerprint, holds, time_zones
from integration.pipeline.disk import MAKE_ROOM
from integration.queries import dead_letters
from integration.web.frame import filters
from integration.web.frame.access import me, own_connectors
from integration.web.frame.services import services


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A page in the menu: endpoint, label, least role; `blueprint` pages are marked while one of theirs is open."""

    endpoint: str
    label: str
    role: Role = Role.VIEWER


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is drawn; a badge is a count beside its label, drawn unless it is None or 0."""

    url: str
    label: str
    current: bool
    badge: Total | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Links below a heading."""

    title: str
    items: Sequence[Link]


#: The plugin's tabs, in its order.
TABS = (
    MenuEntry("connection.index", "Connection"),
    MenuEntry("contacts.index", "Contact Sync"),
    MenuEntry("orders.index", "Order Sync"),
    MenuEntry("carts.index", "Abandoned Cart"),
    MenuEntry("fields.index", "Mautic Fields"),
    MenuEntry("tools.index", "Tools"),
)
#: Pages of one connector.
OPERATIONS = (
    MenuEntry("runs.index", "Runs"),
    MenuEntry("records.index", "Records"),
    MenuEntry("dead_letters.index", "Dead letters"),
    MenuEntry("activity.index", "Activity"),
    MenuEntry("reconciliation.index", "Reconciliation"),
    MenuEntry("diagnostics.index", "Diagnostics", Role.SUPPORT),
    MenuEntry("logs.index", "Logs", Role.SUPPORT),
)
#: Pages of an organisation, or of the whole platform.
ADMINISTRATION = (
    MenuEntry("alerts.index", "Alerts", Role.ADMIN),
    MenuEntry("users.index", "Users", Role.ADMIN),
    MenuEntry("tokens.index", "Tokens", Role.ADMIN),
    MenuEntry("audit.index", "Audit log", Role.ADMIN),
    MenuEntry("storage.index", "Storage", Role.ADMIN),
    MenuEntry("privacy.index", "Privacy", Role.ADMIN),
    MenuEntry("platform.index", "Platform", Role.SUPER),
)

#: What every page asks, in one question.
_STATE = select(
    heartbeat.ALIVE.scalar_subquery(),
    installation.KEY_CHECK.scalar_subquery(),
    dead_letters.WAITING_SHOWN.scalar_subquery(),
)
_NO_BADGES: Mapping[str, Total | None] = {}


@dataclass(frozen=True, slots=True)
class Banner:
    """What is wrong with the whole installation; `kind` is bad or warn."""

    kind: str
    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class Shell:
    """What layout.html draws around a page."""

    menu: Sequence[Group]
    zone: str
    #: Whose page it is, in words; "" on pages of no connector.
    whose: str = ""
    connector: Connector | None = None
    choices: Sequence[Link] = ()
    tabs: Sequence[Link] = ()
    holds: Sequence[Hold] = field(default_factory=tuple)
    worker_alive: bool = True
    disk: Banner | None = None
    key_lost: IntegrationError | None = None
    connection_url: str | None = None
    debug_until: str = ""
    #: Why the connector is read-only, "" where it is not.
    doubt: str = ""


def shell() -> Shell:
    """Return the frame of the page that is being drawn."""
    now = services().clock.now()
    with services().db.read() as session:
        connectors = own_connectors(session)
        connector = _chosen(connectors)
        alive, check, waiting = _state(session, now, connector)
        lost = installation.KEY_LOST if installation.misses_key(session, services().vault, check) else None
        whose = _whose(session, g.get("connector"))
        open_holds = holds.open_holds(session, connector.id) if connector else ()
    # Moments are written in the zone of the page's own connector, which the chosen one need not be.
    zone = time_zones.label(filters.page_zone())
    disk = _disk()
    # On a full disk no worker can say that it is alive.
    alive = alive or (disk is not None and disk.kind == "bad")
    if connector is None:
        return Shell(_menu(None, []), zone, worker_alive=alive, disk=disk, key_lost=lost)
    until, tabs = connector.debug_until, _links(TABS, connector.id)
    return Shell(
        menu=_menu(connector.id, tabs, Total.upto(waiting)),
        zone=zone,
        whose=whose,
        connector=connector,
        choices=[_choice(each, connector) for each in connectors],
        tabs=tabs if any(link.current for link in tabs) else [],
        holds=open_holds,
        doubt=fingerprint.sentence(connector),
        worker_alive=alive,
        disk=disk,
        key_lost=lost,
        connection_url=_url("connection.index", connector.id),
        debug_until=filters.local(until) if until and until > now else "",
    )


def _state(session: Session, now: datetime, connector: Connector | None) -> tuple[bool, str | None, int]:
    """Return whether a worker is alive, what tells whether the key is lost, and how many dead letters wait."""
    about = {"connector_id": connector.id if connector else None, **heartbeat.lately(now, *heartbeat.WORKING_ROLES)}
    alive, check, waiting = session.execute(_STATE, about).one()
    return bool(alive), check, waiting


def _whose(session: Session, connector: Connector | None) -> str:
    """Return the name of the page's connector, for super admins with its organisation; "" where there is none."""
    if connector is None or not me().may(Role.SUPER):
        return connector.name if connector else ""
    return f"{connector.name} ({session.get_one(Organisation, connector.organisation_id).name})"


def _disk() -> Banner | None:
    """Return what to say of the disk, None while there is room on it."""
    if (fault := services().disk.look()) is not None:
        return Banner("bad", fault.sentence, fault.hint)
    if shortage := services().disk.shortage():
        return Banner("warn", shortage, MAKE_ROOM)
    return None


def _chosen(connectors: Sequence[Connector]) -> Connector | None:
    """Return the connector of the page, else the one looked at last, else the first."""
    wanted = g.get("connector")
    number = wanted.id if wanted is not None else cookie.get("connector_id")
    found = next((each for each in connectors if each.id == number), None)
    return found or (connectors[0] if connectors else None)


def _menu(connector_id: int | None, tabs: Sequence[Link], letters: Total | None = None) -> list[Group]:
    """Return the menu; `letters` is how many dead letters wait, which stands beside their page's name."""
    first = Link(_overview(connector_id), "Overview", request.blueprint in ("overview", "setup"))
    groups = [
        Group("", [first, *tabs]),
        Group("Operations", _links(OPERATIONS, connector_id, {"dead_letters.index": letters})),
        Group("Administration", _links(ADMINISTRATION, connector_id)),
    ]
    return [group for group in groups if group.items]


def _overview(connector_id: int | None) -> str:
    return url_for("overview.show", connector_id=connector_id) if connector_id else url_for("overview.index")


def _links(
    places: Sequence[MenuEntry], connector_id: int | None, badges: Mapping[str, Total | None] = _NO_BADGES
) -> list[Link]:
    user, blueprint = me(), request.blueprint
    return [
        Link(url, place.label, blueprint in _blueprints(place.endpoint), badges.get(place.endpoint))
        for place in places
        if user.may(place.role) and (url := _url(place.endpoint, connector_id))
    ]


def _blueprints(endpoint: str) -> tuple[str, ...]:
    """Return whose pages mark a menu item: a page of one record belongs to Records, the form to Contact Sync."""
    name = endpoint.partition(".")[0]
    return (name, *_ALSO.get(name, ()))


_ALSO = {
    "records": ("record",),
    "contacts": ("subscriptions", "consents"),
    "orders": ("rfm",),
    "fields": ("mapping",),
    "tokens": ("api_reference",),
}


def _url(endpoint: str, connector_id: int | None) -> str | None:
    """Return the address of a page, None when it does not exist or needs a connector and there is none."""
    if endpoint not in current_app.view_functions:
        return None
    if not any("connector_id" in rule.arguments for rule in current_app.url_map.iter_rules(endpoint)):
        return url_for(endpoint)
    return url_for(endpoint, connector_id=connector_id) if connector_id else None


def _choice(connector: Connector, current: Connector) -> Link:
    """Return the link to the same page of another connector where the page is one of a connector's."""
    args = dict(request.view_args or {})
    same = request.endpoint if set(args) == {"connector_id"} and request.method == "GET" else "overview.show"
    url = url_for(same or "overview.show", connector_id=connector.id)
    return Link(url, connector.name, connector.id == current.id)


def init_app(app: Flask) -> None:
    """Let the templates ask for the frame."""
    app.context_processor(lambda: {"shell": shell, "pages": app.view_functions})
