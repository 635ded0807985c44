"""Abandoned Cart: settings, the line for the shop, the carts, and one cart with its story (P50 to P62)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration import shop_lines
from integration.carts import acts, leftovers, links, script
from integration.digests import digest
from integration.mapping.cart_orders import PROOFS
from integration.models.audit import AuditAction
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.models.user import Role
from integration.queries import carts, person_lists
from integration.streams.cart_payload import lines_of
from integration.streams.carts import KIND
from integration.web.frame import filters
from integration.web.frame.access import connector_view, me, needs, record, row_view
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services
from integration.web.modules import cart_answers, guide as guides, pickers, weekly_chart
from integration.web.modules.form import filled, module_form, respond

bp = Blueprint("carts", __name__, url_prefix="/connectors/<int:connector_id>/carts")
FORM = module_form(
    (
        "carts.enabled",
        "carts.box",
        "carts.box_text",
        "carts.silent",
        "carts.from_orders",
        "carts.timeout",
        "carts.tag",
        "carts.recovered_tag",
        "carts.remove_tag",
        "carts.segment",
        "carts.leave_segment",
        "carts.coupon",
        "carts.coupon_amount",
        "carts.coupon_days",
        "carts.coupon_minimum",
        "carts.coupon_use",
        "carts.create_fields",
        "carts.keep_days",
    )
)
COUPONS = {
    "none": "None",
    "percent": "Percent of the cart",
    "fixed_cart": "An amount off the cart",
    "free_shipping": "Free shipping",
}
COUPON_USES = {"bound": "Only the address that left the cart", "open": "Whoever has the code, once"}
#: Days that the figures above the list are about.
FIGURES_DAYS = 30


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings, the line for the shop, and what keeps carts from Mautic."""
    return _page(connector, filled(FORM, connector))


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Store the settings; what cannot be used comes back with the reason."""
    return respond(FORM, connector, _page, "carts.index")


def _page(connector: Connector, form: SettingForm) -> str:
    module = services().modules(connector).carts
    url = f"{services().base_url}/carts/{connector.cart_key}.js"
    return render_template(
        "modules/carts/index.html",
        connector=connector,
        form=form,
        reasons=cart_answers.why_none(connector),
        tag=shop_lines.tag(url),
        snippet=script.wordpress_snippet(module, url),
        segments=pickers.segments(connector).with_none(form["carts.segment"].data),
        coupons=COUPONS,
        coupon_uses=COUPON_USES,
        may_save=me().may(Role.ADMIN),
    )


@bp.get("/guide")
@connector_view
def guide(connector: Connector) -> str:
    """Show how a recovery campaign is set up, from the switch to the recovered order."""
    return render_template("modules/carts/guide.html", connector=connector, guide=guides.shown("abandoned-carts"))


@bp.get("/list")
@connector_view
def listed(connector: Connector) -> ResponseReturnValue:
    """Show the carts that fit the address, newest first, with the figures of a month and a chart of the weeks."""
    zone, now = filters.zone_of(connector), services().clock.now()
    query, notices = carts.CartQuery.parse(connector.id, request.args, zone.key)
    with services().db.read() as session:
        page = person_lists.read_page(session, Cart, query)
        figures = carts.figures(session, connector.id, now - timedelta(days=FIGURES_DAYS), now + timedelta(days=1))
        weeks = carts.weeks(session, connector.id, now, zone)
    return render_template(
        "modules/carts/list.html",
        connector=connector,
        query=query,
        page=page,
        notices=notices,
        figures=figures,
        weeks=weeks,
        chart=weekly_chart.drawn(weeks),
        reasons=cart_answers.why_none(connector) if not (page.rows or query.filtered) else [],
        states=carts.STATES,
        sizes=person_lists.SIZES,
        days=FIGURES_DAYS,
        older_url=_older(query, page.older),
    )


def _older(query: carts.CartQuery, before: int | None) -> str:
    if before is None:
        return ""
    values: dict[str, Any] = query.args(before=before)
    return url_for("carts.listed", connector_id=query.connector_id, **values)


@bp.get("/<int:cart_id>")
@row_view(Cart, "cart_id")
def show(connector: Connector, cart: Cart) -> ResponseReturnValue:
    """Show one cart with its items, its consent and its story."""
    with services().db.read() as session:
        story, why_not = carts.story(session, cart), acts.why_not_sendable(session, cart)
    return render_template(
        "modules/carts/show.html",
        connector=connector,
        cart=cart,
        lines=lines_of(cart.lines) if cart.lines else (),
        story=story,
        consent_at=datetime.fromisoformat(cart.consent["at"]) if cart.consent else None,
        states=carts.STATES,
        proofs=PROOFS,
        kind=KIND,
        why_not=why_not,
        may_act=me().may(Role.SUPPORT),
        link=_link(cart) if me().may(Role.SUPPORT) else "",
        may_forget=me().may(Role.ADMIN),
    )


def _link(cart: Cart) -> str:
    """Return the link that leads back to a cart, "" for none and for one made with an earlier SECRET_KEY."""
    token = links.token_of(services().vault, cart)
    return links.url_of(services().base_url, token) if cart.token_digest == digest(token) else ""


@bp.post("/<int:cart_id>/send")
@needs(Role.SUPPORT)
@row_view(Cart, "cart_id")
def send(connector: Connector, cart: Cart) -> ResponseReturnValue:
    """Send a cart again, with prices, coupon and link made ready anew."""
    with services().db.write() as session:
        why_not = acts.send_again(session, services().clock.now(), cart.id, audit=_audit(connector, "REPLAYED"))
    flash(*((why_not, "warn") if why_not else ("The cart is sent again within a minute.", "ok")))
    return redirect(url_for("carts.show", connector_id=connector.id, cart_id=cart.id))


@bp.get("/<int:cart_id>/forget")
@needs(Role.ADMIN)
@row_view(Cart, "cart_id")
def forget(connector: Connector, cart: Cart) -> ResponseReturnValue:
    """Ask before a cart is deleted."""
    return render_template("modules/carts/forget.html", connector=connector, cart=cart)


@bp.post("/<int:cart_id>/forget")
@needs(Role.ADMIN)
@row_view(Cart, "cart_id")
def forget_post(connector: Connector, cart: Cart) -> ResponseReturnValue:
    """Delete a cart, its story and what its records hold of the person."""
    with services().db.write() as session:
        acts.forget(session, services().clock.now(), cart.id, audit=_audit(connector, "DELETED"))
    gone = leftovers.delete_coupons(services(), connector, cart.id)
    coupon = "" if gone else " The store could not delete its coupon now; it is asked again within a day."
    flash(f"Cart {cart.id} was forgotten. What Mautic has of it stays there.{coupon}", "ok" if gone else "warn")
    return redirect(url_for("carts.listed", connector_id=connector.id))


def _audit(connector: Connector, action: str) -> Any:
    def write(session: Session, cart: Cart) -> None:
        record(session, AuditAction(action), f"cart {cart.id}", {"state": [None, cart.state]}, connector)

    return write
