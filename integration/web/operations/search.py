"""Search, and everything known of one person or one order (X5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.models.connector import Connector
from integration.models.run import RunKind
from integration.models.user import Role
from integration.queries import consents, lifetime_breakdown, person_status, search, timeline
from integration.queries.cart_reasons import Reason
from integration.queries.search import Hit, SearchQuery
from integration.queries.timeline import Scope
from integration.queries.timeline_position import TimelineQuery
from integration.streams import Explanation
from integration.web.frame.access import connector_view, me, needs, own_connectors
from integration.web.frame.services import services
from integration.web.modules import cart_answers
from integration.web.operations import run_start
from integration.web.operations.links import Addresses

bp = Blueprint("search", __name__)
#: Columns hold so much of a source id and of a person key.
_SOURCE_ID_MAX_CHARS, PERSON_KEY_MAX_CHARS = 40, 64
#: Of so many connectors a search for a cart says why there is none.
_CONNECTORS_EXPLAINED_MAX = 3


@bp.get("/search")
def index() -> ResponseReturnValue:
    """Go to the only thing that fits, or list what does; `connector` looks in one of them only."""
    asked, only = SearchQuery.parse(request.args.get("q", "")), request.args.get("connector", "")
    with services().db.read() as session:
        own = [each for each in own_connectors(session) if only in ("", str(each.id))]
        hits = search.find(session, [each.id for each in own], asked)
    hit = search.one(hits) if hits else _nobody(own, asked)
    if hit is not None:
        return redirect(_url(hit))
    groups: dict[str, list[Hit]] = {}
    for each in hits:
        groups.setdefault(each.how, []).append(each)
    names = {each.id: each.name for each in own}
    return render_template(
        "operations/search/index.html",
        asked=asked,
        groups=groups,
        names=names,
        url_of=_url,
        connectors=own,
        order_id=_id(asked),
        reasons=_no_cart(own) if asked.kind == "cart" else [],
    )


def _no_cart(own: Sequence[Connector]) -> list[tuple[Connector, Reason]]:
    """Return what keeps carts from Mautic, for a search that found none."""
    few = own[:_CONNECTORS_EXPLAINED_MAX]
    return [(connector, reason) for connector in few for reason in cart_answers.why_none(connector)]


def _nobody(own: Sequence[Connector], asked: SearchQuery) -> Hit | None:
    """Return what was asked for though nobody has seen it, where it is clear what it would be: its page says so."""
    if len(own) != 1 or not asked.text:
        return None
    if asked.kind == "email":
        return Hit(own[0].id, "person", person_key_of(asked.text), "e-mail address", asked.text)
    key = _id(asked)
    return Hit(own[0].id, "order", key, "order id", key) if key and asked.may_be("order") else None


def _id(asked: SearchQuery) -> str:
    """Return the order id that a search may have meant, "" when it was no number."""
    return str(asked.number) if asked.number else ""


def _url(hit: Hit) -> str:
    if hit.what == "order":
        return url_for("search.order", connector_id=hit.connector_id, source_id=hit.key)
    if hit.what == "cart":
        return url_for("carts.show", connector_id=hit.connector_id, cart_id=int(hit.key))
    if hit.what == "run":
        return url_for("runs.show", connector_id=hit.connector_id, run_id=int(hit.key))
    if hit.what == "record":
        return url_for("record.show", connector_id=hit.connector_id, delivery_id=int(hit.key))
    return url_for("search.person", connector_id=hit.connector_id, person_key=hit.key)


@bp.get("/connectors/<int:connector_id>/people/<person_key>")
@connector_view
def person(connector: Connector, person_key: str) -> ResponseReturnValue:
    """Show everything known of one person."""
    person_key = _storable(person_key)[:PERSON_KEY_MAX_CHARS]
    with services().db.read() as session:
        known = timeline.known_person(session, connector, person_key, services().clock.now())
        shown = _timeline(session, timeline.person(session, connector, person_key))
        shown["sums"] = lifetime_breakdown.add_up(session, connector, person_key)
        said = consents.of_person(session, connector.id, person_key)
    return _page(
        connector,
        known,
        [*person_status.of_person(known), *person_status.of_mautics_word(consents.barred(said))],
        consents=said,
        **shown,
        person_key=person_key,
        title=_title(known),
        source_id="",
    )


@bp.get("/connectors/<int:connector_id>/orders/<source_id>")
@connector_view
def order(connector: Connector, source_id: str) -> ResponseReturnValue:
    """Show everything known of one order."""
    source_id = _storable(source_id)[:_SOURCE_ID_MAX_CHARS]
    with services().db.read() as session:
        known = timeline.known_order(session, connector, source_id, services().clock.now())
        shown = _timeline(session, timeline.order(session, connector, source_id))
        person_key = _person_key(known)
        shown["sums"] = lifetime_breakdown.add_up(session, connector, person_key) if person_key else None
    number = next((row.number for row in known.records if row.number), source_id)
    return _page(
        connector,
        known,
        person_status.of_order(known),
        **shown,
        person_key=person_key,
        title=f"Order {number}",
        source_id=source_id,
    )


@bp.post("/connectors/<int:connector_id>/orders/<source_id>/read")
@needs(Role.SUPPORT)
@connector_view
def read_order(connector: Connector, source_id: str) -> ResponseReturnValue:
    """Start a run that reads this one order from the store."""
    back = redirect(url_for("search.order", connector_id=connector.id, source_id=source_id))
    if not (source_id.isascii() and source_id.isdigit() and len(source_id) < 19):
        flash("Only an order with a number as its id can be read from the store.", "warn")
        return back
    options = {"ids": [int(source_id)], "only": ["orders"]}
    if run_start.begin(connector, RunKind.BULK, options=options, diff={"order": [None, source_id]}) is not None:
        flash(f"Order {source_id} is being read from the store; load this page again in a moment.", "ok")
    return back


def _timeline(session: Session, scope: Scope) -> dict[str, Any]:
    query, notices = TimelineQuery.from_url(request.args)
    return {
        "page": timeline.read(session, scope, query.older),
        "continued": bool(query.older.before),
        "notices": notices,
        "log_names": scope.orders,
    }


def _page(
    connector: Connector, known: person_status.Known, verdicts: Sequence[person_status.PersonStatus], **values: Any
) -> ResponseReturnValue:
    return render_template(
        "operations/search/timeline.html",
        connector=connector,
        known=known,
        verdicts=verdicts,
        addresses=Addresses(connector),
        consent_words=consents.WORDS,
        place_of=lambda reason: _place_url(connector, reason, values["source_id"]),
        may_read=me().may(Role.SUPPORT) and bool(connector.store_url),
        older_url=_older(connector, values),
        first_url=_here(connector, values),
        **values,
    )


def _place_url(connector: Connector, reason: Explanation, source_id: str) -> str:
    """Return the page where a reason is changed, "" when it is not one of ours and not known."""
    if reason.page == "store":
        return Addresses(connector).source("order", source_id) if source_id else ""
    return "" if reason.page == "mautic" else url_for(f"{reason.page}.index", connector_id=connector.id)


def _here(connector: Connector, values: dict[str, Any], **more: str) -> str:
    if values["source_id"]:
        return url_for("search.order", connector_id=connector.id, source_id=values["source_id"], **more)  # type: ignore[arg-type]  # values of the address
    return url_for("search.person", connector_id=connector.id, person_key=values["person_key"], **more)  # type: ignore[arg-type]  # values of the address


def _older(connector: Connector, values: dict[str, Any]) -> str:
    older = values["page"].older
    return _here(connector, values, older=older) if older else ""


def _person_key(known: person_status.Known) -> str:
    """Return whose order it is, "" when nobody's: an order without an address is its own only record's."""
    person_keys = [entry.person_key for entry in known.entries] + [row.person_key for row in known.records]
    return next((person_key for person_key in person_keys if person_key and ":" not in person_key), "")


def _title(known: person_status.Known) -> str:
    return f"Person: contact {known.link.contact_id}" if known.link else "Person who is not in Mautic"


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
