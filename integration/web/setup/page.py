"""The guided set-up: one page from two addresses to the first contact in Mautic.

Each stage stands on what other pages have: the forms of the connection, its test, the list of fields, the preview and
the import.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from integration.errors import SettingError
from integration.models.connector import Connector
from integration.models.user import Role
from integration.queries import sync_log
from integration.store.access import home
from integration.web.connection import checks, form as connection_form, onward, saving, store_keys
from integration.web.connection.mautic_sign_in import redirect_uri
from integration.web.frame import live
from integration.web.frame.access import connector_view, me, needs, own_connectors
from integration.web.frame.form_version import error_status
from integration.web.frame.forms import SettingForm
from integration.web.frame.services import services
from integration.web.modules import fields, imports
from integration.web.operations.links import Addresses
from integration.web.setup import stages

bp = Blueprint("setup", __name__)
#: Stage -> its form.
FORMS = {
    "addresses": connection_form.form_with("name", "store_url", "mautic_url"),
    "store": connection_form.form_with("store_key", "store_secret"),
    "mautic": connection_form.form_with(
        "mautic_method", "mautic_user", "mautic_password", "mautic_client_id", "mautic_client_secret"
    ),
}
NAME_MAX_CHARS = 120


@bp.get("/setup")
@needs(Role.ADMIN)
def new() -> str:
    """Show the set-up of a connector that is still to be made."""
    return _new(connection_form.stored(_unmade(), FORMS["addresses"]))


@bp.post("/setup")
@needs(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Make a connector of two addresses at which a store and a Mautic answer."""
    connector = _unmade()
    form = connection_form.typed(connector, FORMS["addresses"])
    try:
        number = saving.make(**_looked_at(connector, form))
    except SettingError as error:
        form.refuse(error)
        return _new(form), 400
    return redirect(url_for("setup.index", connector_id=number, _anchor="store"))


@bp.get("/connectors/<int:connector_id>/setup")
@connector_view
def index(connector: Connector) -> str:
    """Show where the set-up stands; a part of it asks for itself while an import goes."""
    if live.is_part():
        return render_template("setup/_arrival.html", connector=connector, **_shown(connector))
    return _page(connector)


@bp.post("/connectors/<int:connector_id>/setup/addresses")
@needs(Role.ADMIN)
@connector_view
def save_addresses(connector: Connector) -> ResponseReturnValue:
    """Save name and addresses once a store and a Mautic answer there."""
    form = connection_form.typed(connector, FORMS["addresses"])
    try:
        saving.save(connector, form, _looked_at(connector, form))
    except SettingError as error:
        return _refused(connector, form, _at_addresses(error), "addresses")
    return _onward(connector.id)


@bp.post("/connectors/<int:connector_id>/setup/<any(store, mautic):side>")
@needs(Role.ADMIN)
@connector_view
def save_access(connector: Connector, side: str) -> ResponseReturnValue:
    """Save the credentials of a side that lets us in with them; left empty, those that are stored are tried."""
    form = connection_form.typed(connector, FORMS[side])
    try:
        values = saving.checked(connector, connection_form.values(form))
        warnings = checks.credentials(connector, values, side)
        saving.save(connector, form, values)
    except SettingError as error:
        return _refused(connector, form, error, side)
    if warnings is None:
        flash("The credentials are saved. Now let Mautic ask you.", "ok")
    else:
        checks.works(connector.id, side, warnings)
    return _onward(connector.id)


@bp.post("/connectors/<int:connector_id>/setup/fields")
@needs(Role.ADMIN)
@connector_view
def create_fields(connector: Connector) -> ResponseReturnValue:
    """Create the fields that Mautic lacks."""
    fields.told(connector, fields.make_missing)
    return _onward(connector.id)


def _addresses(connector: Connector) -> list[str]:
    return [getattr(connector, name) or "" for name in checks.ADDRESSES.values()]


def _unmade() -> Connector:
    return Connector(settings={}, store_facts={}, mautic_method="client_credentials", is_demo=False)


def _looked_at(connector: Connector, form: SettingForm) -> dict[str, str]:
    """Return name and addresses as they are to be kept; raises SettingError for those that do not fit."""
    typed = connection_form.values(form)
    checks.required(typed)
    host = connection_form.origin(typed["store_url"])[1]
    values = saving.checked(connector, {**typed, "name": typed["name"] or host[:NAME_MAX_CHARS]})
    _refuse_twice(connector, values)
    if request.form.get("anyway") == "1":
        return values
    seen = checks.addresses(connector, values)
    flash(" ".join(seen.sentences), "ok")
    for text in seen.warnings:
        flash(text, "warn")
    return {**values, "name": typed["name"] or seen.name[:NAME_MAX_CHARS] or values["name"]}


def _refuse_twice(connector: Connector, values: dict[str, str]) -> None:
    """Raise SettingError where another connector pairs the same two already: everything would be sent twice."""
    wanted = [home(values[name]) for name in checks.ADDRESSES.values()]
    with services().db.read() as session:
        others = [each for each in own_connectors(session) if each.id != connector.id]
    for each in others:
        if [home(address) for address in _addresses(each)] == wanted:
            hint = "Go on with that one, or write another address."
            raise SettingError("store_url", f"The connector “{each.name}” pairs this store with this Mautic.", hint)


def _at_addresses(error: SettingError) -> SettingError:
    """Return an error at a field of the first stage: a secret that a new address asks for has no field there."""
    address = connection_form.ADDRESS_OF.get(error.name)
    if address is None:
        return error
    hint = "Change it on the Connection tab, where address and credentials are entered together."
    return SettingError(address, "The credentials that are stored are for the present address.", hint)


def _new(form: SettingForm) -> str:
    return render_template(
        "setup/index.html", connector=None, stages=stages.of_new(), forms={"addresses": form}, admin=True
    )


def _refused(connector: Connector, form: SettingForm, error: SettingError, key: str) -> ResponseReturnValue:
    form.refuse(error)
    return _page(connector, {key: form}), error_status(error)


def _onward(connector_id: int) -> ResponseReturnValue:
    """Go on at the first stage that is open."""
    with services().db.read() as session:
        found = stages.of(session, session.get_one(Connector, connector_id))
    return redirect(url_for("setup.index", connector_id=connector_id, _anchor=stages.first_open(found)))


def _page(connector: Connector, refused: dict[str, SettingForm] | None = None) -> str:
    secrets = services().readable_secrets(connector)
    forms = {key: connection_form.stored(connector, form) for key, form in FORMS.items()}
    return render_template(
        "setup/index.html",
        connector=connector,
        forms={**forms, **(refused or {})},
        refused=refused or {},
        admin=me().may(Role.ADMIN),
        stored={name for name, value in secrets.items() if value},
        key_link=store_keys.offered(connector),
        guided=onward.GUIDED,
        redirect_uri=redirect_uri(),
        methods=connection_form.METHODS,
        missing=fields.missing(connector),
        unsafe=[] if connector.is_demo else [each for each in _addresses(connector) if each.startswith("http://")],
        **_shown(connector),
    )


def _shown(connector: Connector) -> dict[str, Any]:
    """Return what the stages show, and the last one of its import."""
    with services().db.read() as session:
        found = stages.of(session, connector)
        return {
            "stages": found,
            "links": Addresses(connector),
            "first": sync_log.first_contact(session, connector.id),
            **imports.area(session, connector, imports.GUIDED),
        }
