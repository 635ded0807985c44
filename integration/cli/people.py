"""Commands of the carts and of the subscriptions: listed, shown, sent again and forgotten as on their pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from sqlalchemy.orm import Session

from integration.carts import acts, leftovers
from integration.cli import console
from integration.cli.filter_options import asked, filter_options
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.models.subscription import Subscription
from integration.pipeline.audited import Audit
from integration.pipeline.connectors.time_zones import written, zone_of
from integration.pipeline.services import Services
from integration.queries import carts as cart_queries, person_lists
from integration.queries.carts import CartQuery
from integration.queries.person_lists import PersonQuery
from integration.queries.subscriptions import SubscriptionQuery
from integration.subscriptions import forgetting

_CART = ("id", "state", "email", "total", "currency", "created_at", "problem")
_ONE_CART = (*_CART, "source", "changed_at", "abandoned_at", "synced_at", "ended_at", "contact_id", "consent", "lines")
_BOUGHT = ("coupon_code", "coupon_until", "opens", "bought_order_id", "revenue", "revenue_currency")
_SUBSCRIPTION = ("id", "state", "email", "created_at", "problem")
_EVIDENCE = ("first_name", "last_name", "consent_text", "source", "page", "ip", "confirmed_ip")
_MOMENTS = ("mailed_at", "confirmed_at", "sent_at")
Row = TypeVar("Row", Cart, Subscription)


@click.group()
def carts() -> None:
    """List, show, send again and forget abandoned carts."""


@carts.command(name="list")
@console.connector_argument
@filter_options(CartQuery)
@console.as_json
def list_carts(connector_id: int, as_json: bool, **typed: Any) -> None:
    """List carts, newest first; go on with --before and the last id."""
    _list(connector_id, Cart, CartQuery, _CART, typed, as_json=as_json, noun="carts")


@carts.command(name="show")
@click.argument("cart_id", metavar="CART", type=int)
@console.as_json
def show_cart(cart_id: int, as_json: bool) -> None:
    """Show one cart with its items, its consent, its story, and what keeps it from being sent again."""
    with console.opened() as services:
        connector, cart = _one(services, Cart, cart_id, "carts")
        with services.db.read() as session:
            story = cart_queries.story(session, cart)
            why_not = acts.why_not_sendable(session, cart)
    told = [{"at": each.at, "sentence": each.text} for each in story]
    shown = _values(cart, (*_ONE_CART, *_BOUGHT)) | {"why_not_sendable": why_not, "story": told}
    _show(services, connector, shown, as_json)


@carts.command()
@click.argument("cart_id", metavar="CART", type=int)
def send(cart_id: int) -> None:
    """Send a cart again, with prices, coupon and link made ready anew; the worker does it."""
    with console.opened() as services:
        connector, _ = _one(services, Cart, cart_id, "carts")
        audit = _audit(services, connector, AuditAction.REPLAYED, "cart")
        with services.db.write() as session:
            why_not = acts.send_again(session, services.clock.now(), cart_id, audit=audit)
    if why_not:
        raise SettingError("CART", why_not, "See `woo-mautic carts show`.")
    click.echo("The cart is sent again within a minute.")


@carts.command(name="forget")
@click.argument("cart_id", metavar="CART", type=int)
@console.yes_option
def forget_cart(cart_id: int, yes: bool) -> None:
    """Delete a cart, its story, what its records hold of the person, and its coupon in the store."""
    with console.opened() as services:
        connector, _ = _one(services, Cart, cart_id, "carts")
        console.confirmed(yes, f"Forget cart {cart_id} for good? What Mautic has of it stays there.")
        with services.db.write() as session:
            audit = _audit(services, connector, AuditAction.DELETED, "cart")
            acts.forget(session, services.clock.now(), cart_id, audit=audit)
        gone = leftovers.delete_coupons(services, connector, cart_id)
    click.echo(f"Cart {cart_id} is forgotten.")
    if not gone:
        click.echo("The store could not delete its coupon now; it is asked again within a day.", err=True)


@click.group()
def subscriptions() -> None:
    """List, show and forget who filled in the subscribe form."""


@subscriptions.command(name="list")
@console.connector_argument
@filter_options(SubscriptionQuery)
@console.as_json
def list_subscriptions(connector_id: int, as_json: bool, **typed: Any) -> None:
    """List subscriptions, newest first; go on with --before and the last id."""
    _list(connector_id, Subscription, SubscriptionQuery, _SUBSCRIPTION, typed, as_json=as_json, noun="subscriptions")


@subscriptions.command(name="show")
@click.argument("subscription_id", metavar="SUBSCRIPTION", type=int)
@console.as_json
def show_subscription(subscription_id: int, as_json: bool) -> None:
    """Show one subscription with the evidence of the consent."""
    with console.opened() as services:
        connector, row = _one(services, Subscription, subscription_id, "subscriptions")
    _show(services, connector, _values(row, (*_SUBSCRIPTION, *_EVIDENCE, *_MOMENTS, "contact_id")), as_json)


@subscriptions.command(name="forget")
@click.argument("subscription_id", metavar="SUBSCRIPTION", type=int)
@console.yes_option
def forget_subscription(subscription_id: int, yes: bool) -> None:
    """Delete a subscription with its evidence, and what its records hold of the person."""
    with console.opened() as services:
        connector, _ = _one(services, Subscription, subscription_id, "subscriptions")
        what = f"subscription {subscription_id} and its evidence"
        console.confirmed(yes, f"Forget {what} for good? What Mautic has of it stays there.")
        audit = _audit(services, connector, AuditAction.DELETED, "subscription")
        with services.db.write() as session:
            forgetting.forget(session, services.clock.now(), subscription_id, audit)
    click.echo(f"Subscription {subscription_id} is forgotten.")


def _list(
    connector_id: int,
    model: type[Row],
    query_of: type[PersonQuery],
    columns: Sequence[str],
    typed: dict[str, Any],
    *,
    as_json: bool,
    noun: str,
) -> None:
    with console.opened() as services:
        zone = console.zone(services, connector_id)
        query = asked(query_of, typed, zone.key, connector_id=connector_id)
        with services.db.read() as session:
            page = person_lists.read_page(session, model, query)
    rows = [_values(each, columns) for each in page.rows]
    console.show(rows, as_json=as_json, text=f"{console.table(rows, columns, zone)}\n{page.total.number} {noun}.")


def _one(services: Services, model: type[Row], number: int, group: str) -> tuple[Connector, Row]:
    with services.db.read() as session:
        row = session.get(model, number)
        if row is None:
            noun = group.removesuffix("s")
            raise SettingError(noun.upper(), f"There is no {noun} {number}.", f"See `woo-mautic {group} list`.")
        return session.get_one(Connector, row.connector_id), row


def _values(row: Cart | Subscription, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _show(services: Services, connector: Connector, shown: dict[str, Any], as_json: bool) -> None:
    zone = zone_of(connector, services.deployment.timezone)
    lines = [f"{name.replace('_', ' ')}: {_text(value, zone)}" for name, value in shown.items() if value]
    console.show(shown, as_json=as_json, text="\n".join(lines))


def _text(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, list):
        return "".join(f"\n  {_text(each, zone)}" for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')} {_text(each, zone)}" for name, each in value.items())
    return written(value, zone) if isinstance(value, datetime) else str(value)


def _audit(services: Services, connector: Connector, action: AuditAction, noun: str) -> Audit[Any]:
    def write(session: Session, row: Cart | Subscription) -> None:
        pair = [row.state, None] if action is AuditAction.DELETED else [None, row.state]
        console.record(services, session, connector, action, f"{noun} {row.id}", {"state": pair})

    return write


COMMANDS: tuple[click.Command, ...] = (carts, subscriptions)
