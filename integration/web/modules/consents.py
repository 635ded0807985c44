"""Marketing consent below Contact Sync: the settings, the ledger of consents, and its export as evidence (P18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.models.connector import Connector
from integration.models.consent import ConsentEntry
from integration.models.user import Role
from integration.pipeline.consents import gate, key_look, write_back
from integration.pipeline.consents.unsubscribes import Place
from integration.queries import consents, person_lists
from integration.queries.consents import ConsentQuery
from integration.settings import ConsentModule
from integration.settings.consent import DNC, SKIP
from integration.web.frame import filters, live, selection
from integration.web.frame.access import connector_view, me, needs
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services
from integration.web.modules.form import filled, module_form, respond
from integration.web.tools import export

bp = Blueprint("consents", __name__, url_prefix="/connectors/<int:connector_id>/consents")
FORM = module_form(f"consent.{name}" for name in ConsentModule.model_fields)
WITHOUT = {SKIP: "Are skipped", DNC: "Are sent with Do Not Contact set"}
COLUMNS = (
    "said_at",
    "state",
    "email",
    "source",
    "ref",
    "key",
    "value",
    "wording",
    "version",
    "connector",
    "person_key",
    "learned_at",
)


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the settings."""
    return _page(connector, filled(FORM, connector))


@bp.post("")
@needs(Role.ADMIN)
@connector_view
def save(connector: Connector) -> ResponseReturnValue:
    """Store the settings; what cannot be used comes back with the reason."""
    return respond(FORM, connector, _page, "consents.index")


def _page(connector: Connector, form: SettingForm) -> str:
    module, place = services().modules(connector).consent, Place.of(connector)
    return render_template(
        "modules/consents/index.html",
        connector=connector,
        form=form,
        without=WITHOUT,
        comment=gate.comment_of(connector),
        reads=module.reads_back,
        unwritten=write_back.problem(connector) if module.reads_back and module.write_back else "",
        place=place,
        looks=module.enabled and bool(connector.store_url),
        may_save=me().may(Role.ADMIN),
    )


@bp.get("/keys")
@connector_view
def keys(connector: Connector) -> ResponseReturnValue:
    """Say how often the keys stand in the shop's newest records."""
    template = "modules/consents/_keys.html" if live.is_part() else "modules/consents/keys.html"
    return render_template(template, connector=connector, found=key_look.look(services(), connector))


@bp.get("/list")
@connector_view
def listed(connector: Connector) -> ResponseReturnValue:
    """Show the ledger's entries that fit the address, newest first."""
    query, notices = _query(connector)
    with services().db.read() as session:
        page = person_lists.read_page(session, ConsentEntry, query)
    older: dict[str, Any] = query.args(before=page.older) if page.older else {}
    kept: dict[str, Any] = query.args(before=None, size=None)
    return render_template(
        "modules/consents/list.html",
        connector=connector,
        query=query,
        page=page,
        notices=notices,
        enabled=services().modules(connector).consent.enabled,
        words=consents.WORDS,
        sizes=person_lists.SIZES,
        kept=kept,
        may_export=me().may(Role.SUPPORT),
        older_url=url_for("consents.listed", connector_id=connector.id, **older) if older else "",
    )


@bp.get("/consents.<any(csv, jsonl):form>")
@needs(Role.SUPPORT)
@connector_view
def download(connector: Connector, form: str) -> ResponseReturnValue:
    """Stream the entries that fit as CSV or JSON lines: evidence of one person, or of all."""
    query, notices = _query(connector)
    selection.understood(notices)
    rows = ([_row(connector, each) for each in part] for part in consents.walk(services().db, query))
    made: Iterator[str] = export.written(rows, COLUMNS, form)
    headers = {"Content-Disposition": f'attachment; filename="consents-{connector.id}.{form}"'}
    return Response(made, mimetype=export.MIMETYPES[form], headers=headers)


def _query(connector: Connector) -> tuple[ConsentQuery, list[str]]:
    return ConsentQuery.parse(connector.id, request.args, filters.zone_of(connector).key)


def _row(connector: Connector, entry: ConsentEntry) -> Mapping[str, object]:
    own = ("state", "email", "source", "ref", "key", "value", "wording", "version", "person_key")
    return {
        "said_at": entry.said_at.isoformat(timespec="seconds"),
        "learned_at": entry.created_at.isoformat(timespec="seconds"),
        "connector": connector.name,
        **{name: getattr(entry, name) for name in own},
    }
