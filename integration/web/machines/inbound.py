"""The inbound API: other programs send contacts, orders and carts, and follow what becomes of them (P101)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.inbound import following, intake
from integration.inbound.bodies import KINDS
from integration.inbound.intake import CARTS_OFF, ITEMS_MAX, Item, Sender, Taken
from integration.inbound.repeats import KEY_MAX_CHARS, KEY_USED
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.url_filters import ID_MAX_DIGITS, UrlFilter, WholeNumber
from integration.web.frame.services import outside, services
from integration.web.machines import authentication, bodies, request_bodies
from integration.web.machines.authentication import NOT_FOUND, Refused, connector_of_token, needs_scope, unusable

bp = Blueprint("inbound", __name__, url_prefix="/api/v1")
KEY_HEADER = "Idempotency-Key"
_KEY = re.compile(rf"[!-~]{{1,{KEY_MAX_CHARS}}}")


class OfConnector(UrlFilter):
    """Which connector is meant; needed where the organisation has several."""

    connector: Annotated[int, WholeNumber(1, 10**ID_MAX_DIGITS - 1)] = 0


class ItemAnswer(bodies.Answer):
    """What became of one item: `index` is its place in the list, `id` what the program calls it.

    `url` answers where it stands; an item that is refused has none, and `fields` name its faults by their paths.
    """

    index: int
    id: str
    accepted: bool
    url: str | None
    fields: dict[str, str]


class Received(bodies.Answer):
    """What became of a request; `repeated` says that the same came under this key before: nothing was done again."""

    connector: int
    accepted: int
    refused: int
    repeated: bool
    items: list[ItemAnswer]


class Followed(bodies.Answer):
    """Where something that was sent stands: waiting, delivered, skipped, conflict, dead, discarded or replaced.

    `reason` is a sentence and `error` its code; `replaced_by` is the address of what stands for it since.
    """

    kind: str
    id: str
    state: str
    reason: str
    error: str
    attempts: int
    contact_id: int | None
    created_at: bodies.Moment
    settled_at: bodies.Moment | None
    replaced_by: str | None


def _routes(name: str) -> None:
    """Add both addresses that take one kind: with the connector in the path, and without where there is one only."""

    @needs_scope("write")
    def of_connector(connector_id: int) -> ResponseReturnValue:
        with services().db.read() as session:
            connector = connector_of_token(session, connector_id)
        return _taken(connector, name)

    @needs_scope("write", OfConnector)
    def of_organisation() -> ResponseReturnValue:
        query, _ = OfConnector.from_url(request.args)
        with services().db.read() as session:
            connector = _meant(session, query.connector)
        return _taken(connector, name)

    bp.add_url_rule(f"/connectors/<int:connector_id>/{name}", f"send_{name}", of_connector, methods=["POST"])
    bp.add_url_rule(f"/{name}", f"send_{name}_short", of_organisation, methods=["POST"])


for _name in KINDS:
    _routes(_name)


def _meant(session: Session, number: int) -> Connector:
    """Return the connector that is named, or the organisation's only one; raises Refused (422) where there are more."""
    if number:
        return connector_of_token(session, number)
    found = authentication.connectors_of_token(session)
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{each.id} ({each.name})" for each in found)
    sentence = "The organisation has several connectors." if found else "The organisation has no connector yet."
    hint = f"Name one as ?connector=: {listed}." if found else "Connect a store first."
    raise unusable({"connector": sentence}, hint)


def _taken(connector: Connector, name: str) -> ResponseReturnValue:
    items, is_list = _items()
    sender = Sender(authentication.token().id, _key())

    def audit(session: Session, taken: Taken) -> None:
        authentication.record(session, AuditAction.RECEIVED, name, connector, accepted=taken.accepted)

    try:
        taken = intake.take(services(), connector, name, items, sender, audit=audit)
    except IntegrationError as error:
        if error not in (CARTS_OFF, KEY_USED):
            raise
        raise Refused(409, error.code, error.sentence, error.hint) from None
    if not taken.accepted:
        raise _all_wrong(taken.items, is_list=is_list)
    rows = [_row(connector, name, item) for item in taken.items]
    figures = {"accepted": taken.accepted, "refused": taken.refused, "repeated": taken.repeated}
    return bodies.answered(Received, 202, connector=connector.id, items=rows, **figures)


def _items() -> tuple[Sequence[Any], bool]:
    """Return the items of the body, and whether it is a list.

    Raises Refused: 400 for no JSON, 413 for too many values, 422 for a wrong number of items.
    """
    body = request_bodies.value()
    if isinstance(body, dict):
        return [body], False
    if not isinstance(body, list):
        sentence = f"The body is {request_bodies.called(body)}, and neither a JSON object nor a list of them."
        raise Refused(400, "body", sentence, "Send an object: {…}, or a list of them.")
    if not 1 <= len(body) <= ITEMS_MAX:
        raise unusable({"body": f"A list has 1 to {ITEMS_MAX} items, not {len(body)}."}, "Send it in parts.")
    return body, True


def _key() -> str:
    """Return the key of the request, "" for none; raises Refused (422) for one that cannot be kept."""
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return ""
    if not _KEY.fullmatch(given):
        sentence = f"An idempotency key has 1 to {KEY_MAX_CHARS} printable characters without blanks."
        raise unusable({KEY_HEADER: sentence}, "Use a new UUID for each request.")
    return given


def _all_wrong(items: Sequence[Item], *, is_list: bool) -> Refused:
    named = [(item.index, *each) for item in items for each in item.fields.items()]
    fields = {f"{index}.{path}" if is_list else path: sentence for index, path, sentence in named}
    return unusable(fields, "Nothing was stored. Correct what is named; the description of the API has every field.")


def _row(connector: Connector, name: str, item: Item) -> ItemAnswer:
    url = None
    if item.number is not None:
        view, key = ("cart", "cart_id") if name == "carts" else ("delivery", "delivery_id")
        url = outside(f"inbound.{view}", connector_id=connector.id, **{key: item.number})
    return ItemAnswer(index=item.index, id=item.id, accepted=url is not None, url=url, fields=dict(item.fields))


@bp.get("/connectors/<int:connector_id>/deliveries/<int:delivery_id>")
@needs_scope("write")
def delivery(connector_id: int, delivery_id: int) -> ResponseReturnValue:
    """Say where a contact or an order stands that was sent."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        return _followed(connector, following.delivery(session, connector.id, delivery_id))


@bp.get("/connectors/<int:connector_id>/carts/<int:cart_id>")
@needs_scope("write")
def cart(connector_id: int, cart_id: int) -> ResponseReturnValue:
    """Say where a cart stands that was sent."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        return _followed(connector, following.cart(session, connector, cart_id))


def _followed(connector: Connector, found: following.Followed | None) -> ResponseReturnValue:
    if found is None:
        raise NOT_FOUND
    later = found.replaced_by
    url = outside("inbound.delivery", connector_id=connector.id, delivery_id=later) if later else None
    values = {name: getattr(found, name) for name in Followed.model_fields if name != "replaced_by"}
    return bodies.answered(Followed, replaced_by=url, **values)
