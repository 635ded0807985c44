"""Forms of module settings: what was typed becomes dotted settings, and comes back when it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors
from integration.settings import TITLES, field_of
from integration.web.frame.access import record
from integration.web.frame.form_version import error_status
from integration.web.frame.forms import SettingForm, form_over
from integration.web.frame.services import services


def module_form(
    keys: Iterable[str], ticked: Collection[str] = (), typed_too: Collection[str] = ()
) -> type[SettingForm]:
    """Return the form of some dotted settings; `ticked` and `typed_too` are as in `form_over`."""
    return form_over(field_of, keys, ticked=ticked, typed_too=typed_too)


def filled(form: type[SettingForm], connector: Connector) -> SettingForm:
    """Return a form with what was typed, or on a page that is only looked at with what is stored."""
    modules = services().modules(connector).to_json()
    stored = {f"{module}.{name}": value for module, part in modules.items() for name, value in part.items()}
    made = form(data=stored)
    return made.loaded({name: value for name, value in stored.items() if name in made})


def respond(
    form: type[SettingForm], connector: Connector, page: Callable[[Connector, SettingForm], str], endpoint: str
) -> ResponseReturnValue:
    """Store what was typed and go back to the page; what cannot be used comes back on it with the reason, as 400."""
    typed = filled(form, connector)

    def audit(session: Session, diff: Diff) -> None:
        typed.keep(diff, TITLES)
        record(session, AuditAction.UPDATED, "settings", diff, connector)

    try:
        diff = connectors.configure(services(), connector.id, typed.typed(), TITLES, audit=audit)
    except SettingError as error:
        typed.refuse(error)
        return page(connector, typed), error_status(error)
    flash("The settings were saved." if diff else "Nothing has changed.", "ok")
    return redirect(url_for(endpoint, connector_id=connector.id))
