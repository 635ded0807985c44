"""The subscribe form: settings and the lines for the shop, and who has subscribed, with the evidence (P100)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.mapping.subscriptions import LINK_TOKEN
from integration.mautic.emails import Emails
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.subscription import Subscription, SubscriptionState
from integration.models.user import Role
from integration.pipeline.connectors.shop_origins import mixes_content
from integration.queries import person_lists, subscriptions
from integration.queries.subscriptions import SubscriptionQuery
from integration.settings import SubscribeModule
from integration.streams.subscriptions import KIND, names
from integration.subscriptions import forgetting, script
from integration.subscriptions.confirmation import GOOD_FOR
from integration.web.frame import filters
from integration.web.frame.access import connector_view, me, needs, record, row_view
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import outside, services
from integration.web.modules import pickers
from integration.web.modules.form import filled, module_form, respond

bp = Blueprint("subscriptions", __name__, url_prefix="/connectors/<int:connector_id>/subscriptions")
#: Every setting of the form but those that are words alone.
_ACTS = (
    "enabled",
    "names",
    "consent_text",
    "tags",
    "segment",
    "double_opt_in",
    "email",
    "thanks",
    "go_to",
    "check_mail",
)
WORDS = tuple(f"subscribe.{name}" for name in SubscribeModule.model_fields if name not in _ACTS)
FORM = module_form((*(f"subscribe.{name}" for name in _ACTS), *WORDS))


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings and the lines for the shop."""
    return _page(connector, filled(FORM, connector))


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Store the settings; what cannot be used comes back with the reason."""
    return respond(FORM, connector, _page, "subscriptions.index")


def _page(connector: Connector, form: SettingForm) -> str:
    module = services().modules(connector).subscribe
    url = outside("subscribe.form", key=connector.cart_key)
    return render_template(
        "modules/subscriptions/index.html",
        connector=connector,
        form=form,
        url=url,
        frame=script.frame_line(module, url),
        lines=script.script_lines(module, url),
        snippet=script.wordpress_snippet(module, url),
        segments=pickers.segments(connector).with_none(form["subscribe.segment"].data),
        emails=pickers.emails(connector).with_none(form["subscribe.email"].data),
        words=WORDS,
        token=LINK_TOKEN,
        days=GOOD_FOR.days,
        without_link=_without_link(connector, module),
        plain=mixes_content(connector, url),
        may_save=me().may(Role.ADMIN),
    )


def _without_link(connector: Connector, module: SubscribeModule) -> bool:
    """Tell whether the e-mail that asks to confirm lacks the link: then nobody could."""
    if not (module.double_opt_in and module.email and connector.mautic_url):
        return False
    try:
        return not Emails(services().open_mautic(connector, quick=True)).holds(module.email, LINK_TOKEN)
    except IntegrationError:
        # The lists above say what is wrong with Mautic.
        return False


@bp.get("/list")
@connector_view
def listed(connector: Connector) -> ResponseReturnValue:
    """Show the subscriptions that fit the address, newest first."""
    query, notices = SubscriptionQuery.parse(connector.id, request.args, filters.zone_of(connector).key)
    with services().db.read() as session:
        page = person_lists.read_page(session, Subscription, query)
    older: dict[str, Any] = query.args(before=page.older) if page.older else {}
    return render_template(
        "modules/subscriptions/list.html",
        connector=connector,
        query=query,
        page=page,
        notices=notices,
        enabled=services().modules(connector).subscribe.enabled,
        states=subscriptions.STATES,
        sizes=person_lists.SIZES,
        older_url=url_for("subscriptions.listed", connector_id=connector.id, **older) if older else "",
    )


@bp.get("/<int:subscription_id>")
@needs(Role.SUPPORT)
@row_view(Subscription, "subscription_id")
def show(connector: Connector, row: Subscription) -> ResponseReturnValue:
    """Show one subscription with the evidence of the consent."""
    return render_template(
        "modules/subscriptions/show.html",
        connector=connector,
        row=row,
        states=subscriptions.STATES,
        kind=KIND,
        records=names(row.id),
        until=row.created_at + GOOD_FOR if row.state == SubscriptionState.PENDING else None,
        may_forget=me().may(Role.ADMIN),
    )


@bp.get("/<int:subscription_id>/forget")
@needs(Role.ADMIN)
@row_view(Subscription, "subscription_id")
def forget(connector: Connector, row: Subscription) -> ResponseReturnValue:
    """Ask before a subscription is deleted."""
    return render_template("modules/subscriptions/forget.html", connector=connector, row=row)


@bp.post("/<int:subscription_id>/forget")
@needs(Role.ADMIN)
@row_view(Subscription, "subscription_id")
def forget_post(connector: Connector, row: Subscription) -> ResponseReturnValue:
    """Delete a subscription and what its records hold of the person."""

    def audit(session: Session, gone: Subscription) -> None:
        entity = f"subscription {gone.id}"
        record(session, AuditAction.DELETED, entity, {"state": [gone.state, None]}, connector)

    with services().db.write() as session:
        forgetting.forget(session, services().clock.now(), row.id, audit)
    flash(f"Subscription {row.id} was forgotten. What Mautic has of it stays there.", "ok")
    return redirect(url_for("subscriptions.listed", connector_id=connector.id))
