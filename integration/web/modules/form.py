"""Forms of module settings: what was typed becomes dotted settings, and comes back when it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.pipeline.connectors import connectors
from integration.settings import Modules
from integration.web.frame.access import connector_or_404, record
from integration.web.frame.services import services

YES, TEXTS, MANY, NUMBERS, WHOLE = "yes", "texts", "many", "numbers", "whole"


@dataclass(frozen=True, slots=True)
class ModuleForm:
    """The settings that one page changes: dotted key -> kind of input.

    Kinds: yes (check box), texts (comma list), many (check boxes of one name), numbers (one number a status, named
    "key:status"), whole (one whole number).
    """

    kinds: Mapping[str, str]

    def values(self, form: MultiDict[str, str]) -> dict[str, Any]:
        """Return key -> value as it was typed."""
        return {key: self._value(key, kind, form) for key, kind in self.kinds.items()}

    def _value(self, key: str, kind: str, form: MultiDict[str, str]) -> Any:
        if kind == YES:
            return "yes" if form.get(key) else "no"
        if kind == MANY:
            return ",".join(form.getlist(key))
        if kind == NUMBERS:
            return _numbers(key, form)
        return form.get(key, "")

    def save(self, connector: Connector, form: MultiDict[str, str]) -> SettingError | None:
        """Store what was typed and write the difference to the audit log; return the error when it cannot be used."""
        try:
            diff = connectors.configure(services(), connector.id, self.values(form))
        except SettingError as error:
            return error
        if diff:
            with services().db.write() as session:
                record(session, AuditAction.UPDATED, "settings", diff, connector)
        flash("The settings were saved." if diff else "Nothing has changed.", "ok")
        return None


def _numbers(key: str, form: MultiDict[str, str]) -> str:
    """Return "status:number,…" of the inputs named "key:status"; empty and 0 mean none."""
    pairs = [(name.removeprefix(f"{key}:"), form[name].strip()) for name in form if name.startswith(f"{key}:")]
    return ",".join(f"{status}:{number}" for status, number in pairs if number not in ("", "0"))


@dataclass(frozen=True, slots=True)
class Shown:
    """The values that a page shows: those stored, or those just typed when they could not be used."""

    stored: Mapping[str, Any]
    typed: Mapping[str, Any] = field(default_factory=dict)
    error: SettingError | None = None

    def text(self, key: str) -> str:
        """Return a setting as the text of an input."""
        value = self.typed.get(key, self.stored[key])
        return ", ".join(value) if isinstance(value, list | tuple) else str(value)

    def yes(self, key: str) -> bool:
        """Return whether a check box is ticked."""
        value = self.typed.get(key, self.stored[key])
        return value == "yes" if isinstance(value, str) else bool(value)

    def chosen(self, key: str) -> Sequence[str]:
        """Return the ticked ones of several check boxes."""
        value = self.typed.get(key, self.stored[key])
        return value.split(",") if isinstance(value, str) else list(value)

    def number(self, key: str, status: str) -> str:
        """Return the number of one status, "" for none."""
        value = self.typed.get(key, self.stored[key])
        if isinstance(value, str):
            return dict(pair.split(":", 1) for pair in value.split(",") if ":" in pair).get(status, "")
        return str(value.get(status) or "")

    def wrong(self, key: str) -> str:
        """Return what is wrong with a setting, "" when nothing is."""
        return self.error.at(key) if self.error is not None else ""


def stored_values(modules: Modules) -> dict[str, Any]:
    """Return dotted key -> value of all settings."""
    return {f"{module}.{name}": value for module, values in modules.to_json().items() for name, value in values.items()}


def respond(
    form: ModuleForm, connector_id: int, page: Callable[[Connector, Shown], str], endpoint: str
) -> ResponseReturnValue:
    """Store what was typed and go back to the page; what cannot be used comes back on it with the reason, as 400."""
    with services().db.read() as session:
        connector = connector_or_404(session, connector_id)
    error = form.save(connector, request.form)
    if error is None:
        return redirect(url_for(endpoint, connector_id=connector_id))
    shown = Shown(stored_values(services().modules(connector)), form.values(request.form), error)
    return page(connector, shown), 400
