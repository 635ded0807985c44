"""flask-wtf forms made from the models of settings: label, help, limits and rules stand in the model alone.

A form shows what is stored or what was typed; the model says what is wrong with it, and `refuse` puts that at the
fields.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Literal, Self, cast, get_args, get_origin

from flask import request
from flask_wtf import FlaskForm
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.widgets import NumberInput

from integration.errors import SettingError
from integration.field_errors import limits
from integration.web.frame.form_version import VERSION, ChangedMeanwhile, check, version_of

#: Longest text of an input whose model has no limit of its own.
TEXT_MAX_CHARS = 2000


class SettingForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """A form over settings; its fields are named as the settings are."""

    error: SettingError | None = None
    #: How the stored settings were when the page was made (form_version).
    version: str = ""

    def loaded(self, stored: Mapping[str, Any]) -> Self:
        """Carry the version that was sent along, or that of what is stored where the page is made anew."""
        self.version = request.form.get(VERSION, "") or version_of(stored)
        return self

    def keep(self, diff: Mapping[str, Any], words: Mapping[str, str]) -> None:
        """Raise ChangedMeanwhile where saving a diff would revert what somebody else has saved since."""
        check(self.version, diff, words)

    def typed(self) -> dict[str, Any]:
        """Return name -> value as it was typed, "" for an input that was not sent."""
        fields = {name: field for name, field in self._fields.items() if name != "csrf_token"}
        return {name: "" if field.data is None else field.data for name, field in fields.items()}

    def refuse(self, error: SettingError) -> None:
        """Put an error, and those beside it, at the fields they name; after a conflict saving again overwrites."""
        self.error = error
        if isinstance(error, ChangedMeanwhile):
            self.version = error.version
        for name, field in self._fields.items():
            if said := error.at(name):
                field.errors = [said]


class ListField(StringField):  # type: ignore[misc]  # wtforms ships no types
    """Texts with commas between them; stored ones are a list, typed ones the text."""

    def process_data(self, value: Any) -> None:
        """Take what is stored; nothing is an empty list."""
        self.data = value or ()

    def _value(self) -> str:
        return self.data if isinstance(self.data, str) else ", ".join(map(str, self.data))


class TickedField(SelectMultipleField):  # type: ignore[misc]  # wtforms ships no types
    """Check boxes of one name; the page knows what can be chosen."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, choices=[], validate_choice=False, **more)

    def process_data(self, value: Any) -> None:
        """Take what is stored; nothing is an empty list."""
        super().process_data(value or ())


class TickedOrTypedField(TickedField):
    """Check boxes and, under the same name, a text with commas between further values."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the ticked values and the typed ones, each once."""
        parts = (part.strip() for value in valuelist for part in value.split(","))
        self.data = list(dict.fromkeys(filter(None, parts)))


class PerStatusField(Field):  # type: ignore[misc]  # wtforms ships no types
    """One input a status, named "name:status"; its data are status -> what was typed, those left empty or 0 not."""

    def process(self, formdata: MultiDict[str, str] | None, data: Any = None, **_: Any) -> None:
        """Take the inputs of this field from what was typed, else what is stored."""
        self.errors, self.data = (), dict(data or {})
        if formdata:
            begin = f"{self.name}:"
            typed = {name.removeprefix(begin): formdata[name].strip() for name in formdata if name.startswith(begin)}
            self.data = {status: number for status, number in typed.items() if number not in ("", "0")}

    def of(self, status: str) -> str:
        """Return what stands in the input of a status, "" for nothing."""
        return str(self.data.get(status) or "")


def form_over(
    field_of: Callable[[str], FieldInfo],
    names: Iterable[str],
    *,
    ticked: Collection[str] = (),
    typed_too: Collection[str] = (),
    inputs: Mapping[str, Mapping[str, Any]] | None = None,
    fields: Mapping[str, Any] | None = None,
) -> type[SettingForm]:
    """Return the form of some settings, in their order.

    `ticked` names lists that are chosen by check boxes instead of typed, `typed_too` those of them that can be added to
    in a text; `inputs` has further HTML attributes by name,
    `fields` ready-made fields that stand for the model's.
    """
    made = {name: _input(field_of(name), name in ticked, (inputs or {}).get(name, {})) for name in names}
    more = {name: TickedOrTypedField(field_of(name).title) for name in typed_too}
    return type("ModelForm", (SettingForm,), {**made, **more, **(fields or {})})


def form_of(
    model: type[BaseModel], *, leave_out: Collection[str] = (), prefix: str = "", **more: Any
) -> type[SettingForm]:
    """Return the form of all fields of a model but those left out; further arguments are those of `form_over`.

    Where a field's name is one of a form's own (such as "errors"), a `prefix` before all of them keeps them apart.
    """
    fields = {prefix + name: field for name, field in model.model_fields.items() if name not in leave_out}
    return form_over(fields.__getitem__, fields, **more)


def _input(field: FieldInfo, ticked: bool, attributes: Mapping[str, Any]) -> Any:
    attributes = {**_bounds(field), **attributes}
    return _kind(field, ticked)(field.title, description=field.description or "", render_kw=attributes)


def _kind(field: FieldInfo, ticked: bool) -> Callable[..., Any]:
    """Return the kind of input for values of a field's type."""
    kind, origin = field.annotation, get_origin(field.annotation)
    if origin is Literal:
        return partial(SelectField, choices=get_args(kind), validate_choice=False)
    if origin in (list, tuple):
        return TickedField if ticked else ListField
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return PerStatusField
    simple: dict[Any, Callable[..., Any]] = {
        bool: BooleanField,
        int: partial(StringField, widget=NumberInput()),
        SecretStr: PasswordField,
    }
    return cast(Callable[..., Any], simple.get(kind, StringField))


def _bounds(field: FieldInfo) -> dict[str, Any]:
    if field.annotation is int:
        low, high = limits(field)
        return {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    if field.annotation not in (str, SecretStr):
        return {}
    longest = [each.max_length for each in field.metadata if getattr(each, "max_length", None)]
    return {"maxlength": longest[0] if longest else TEXT_MAX_CHARS}
