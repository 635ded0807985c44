"""Contact fields: which Mautic has, how long their values may be, and making those that are missing.

The field list of 5.2.1 does not tell a field's length limit (mautic:267, mautic:270), although Mautic refuses longer
values: unless an answer has charLengthLimit, or the caller knows what the field was made with, Mautic has to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from integration.errors import Rejected, ServerFault, Unreachable
from integration.mautic.answers import SERVICE
from integration.mautic.client import MauticClient
from integration.mautic.paging import every
from integration.plans import FieldNeed, MauticField

#: Types that are a VARCHAR with a length check (mautic:065-068, mautic:295); the others have none, or their own list.
TEXT_LIKE = frozenset({"text", "tel", "url", "email", "lookup"})
FIELD_DEFAULT_MAX_CHARS = 64
FIELD_MAX_CHARS = 191
#: Making a field alters the table of contacts, which takes long when it is large (dossier 4.5).
ALTER_TIMEOUT_S = 300.0


class Fields:
    """Reads and makes contact fields, one after another, for at once they fail (mautic:304).

    `limits` maps an alias to the characters that its field was made with.
    """

    def __init__(self, client: MauticClient, limits: Mapping[str, int] | None = None) -> None:
        self.client = client
        self.limits = dict(limits or {})
        self._known: dict[str, MauticField] | None = None

    def read(self) -> dict[str, MauticField]:
        """Return alias -> field for all contact fields, those not published too."""
        known = {}
        for entity in every(self.client, "fields/contact", "fields"):
            field = field_of(entity, self.limits)
            known[field.alias] = field
        self._known = known
        return dict(known)

    def create(self, need: FieldNeed) -> MauticField:
        """Make the field if its alias is missing, and return it as Mautic named it (mautic:258, 260, 261).

        A field made in the background is not published yet (status 202, dossier M23). Raises Rejected (field_refused).
        """
        if self._known is None:
            self.read()
        field = self._known.get(need.alias) if self._known else None
        if field is None:
            field = self._create(need)
            self._known = {**(self._known or {}), field.alias: field}
        return field

    def create_all(self, needs: Iterable[FieldNeed]) -> list[MauticField]:
        """Make several fields, one after another."""
        return [self.create(need) for need in needs]

    def _create(self, need: FieldNeed) -> MauticField:
        try:
            reply = self.client.request("POST", "fields/contact/new", body=definition(need), timeout=ALTER_TIMEOUT_S)
        except (Rejected, ServerFault, Unreachable) as error:
            return self._after(need, error)
        entity = reply.value.get("field") if isinstance(reply.value, dict) else None
        if not isinstance(entity, dict):
            return self._after(need, ServerFault(SERVICE, "unreadable", "Mautic's answer names no field."))
        self._remember(need, str(entity.get("alias") or need.alias))
        field = field_of(entity, self.limits)
        return replace(field, published=False) if reply.status == 202 else field

    def _after(self, need: FieldNeed, error: Rejected | ServerFault | Unreachable) -> MauticField:
        """Look whether the field is there all the same.

        Another process may have made it at the same time (mautic:257, 304), or Mautic after a time-out.
        """
        field = self.read().get(need.alias)
        if field is not None:
            self._remember(need, need.alias)
            return field_of_need(field, need) if not isinstance(error, Rejected) else field
        if not isinstance(error, Rejected):
            raise error
        sentence = f"Mautic refused to make the field {need.alias}: {error.sentence}"
        full = error.code == "too_many_fields"
        hint = error.hint if full else "Create the field in Mautic by hand, with this alias."
        raise Rejected(
            SERVICE, error.code if full else "field_refused", sentence, hint, status=error.status, details=error.details
        ) from error

    def _remember(self, need: FieldNeed, alias: str) -> None:
        if need.type in TEXT_LIKE:
            self.limits[alias] = length(need)


def length(need: FieldNeed) -> int:
    """Return the length that a text-like field is made with: at most 191 characters, the column's own."""
    return min(need.limit or FIELD_DEFAULT_MAX_CHARS, FIELD_MAX_CHARS)


def field_of_need(field: MauticField, need: FieldNeed) -> MauticField:
    """Return the field with the length it was asked for, when it is the one that was made."""
    return replace(field, limit=length(need)) if field.type in TEXT_LIKE else field


def field_of(entity: Mapping[str, Any], limits: Mapping[str, int]) -> MauticField:
    """Return one entry of the field list (mautic:270); `properties` is an object or []."""
    alias = str(entity.get("alias") or "")
    kind = str(entity.get("type") or "text")
    return MauticField(
        alias,
        kind,
        str(entity.get("label") or alias),
        _limit(entity, kind, limits.get(alias)),
        choices_of(entity.get("properties")) if kind in ("select", "multiselect") else (),
        bool(entity.get("isPublished", True)),
        # Older versions misspell it (isUniqueIdentifer).
        str(entity.get("isUniqueIdentifier", entity.get("isUniqueIdentifer"))).lower() in ("1", "true"),
        required=bool(entity.get("isRequired")),
        number=int(str(entity["id"])) if str(entity.get("id")).isdigit() else None,
    )


def unique_aliases(fields: Mapping[str, MauticField]) -> frozenset[str]:
    """Return the fields beside email that Mautic finds a contact by (mautic:297, mautic:298)."""
    return frozenset(alias for alias, field in fields.items() if field.unique and alias != "email")


def required_aliases(fields: Mapping[str, MauticField]) -> frozenset[str]:
    """Return the fields beside email without which Mautic refuses a new contact."""
    return frozenset(
        alias for alias, field in fields.items() if field.required and field.published and alias != "email"
    )


def _limit(entity: Mapping[str, Any], kind: str, known: int | None) -> int | None:
    if kind not in TEXT_LIKE:
        return None
    told = entity.get("charLengthLimit")
    if isinstance(told, int | str) and str(told).isdigit() and int(told) > 0:
        return int(told)
    return known


def choices_of(properties: object) -> tuple[str, ...]:
    """Return the values of a select; older versions write "a|b".

    Only values are taken, labels are not (mautic:255, 290, 291).
    """
    inner = properties.get("list") if isinstance(properties, dict) else None
    if isinstance(inner, str):
        return tuple(part for part in inner.split("|") if part)
    if isinstance(inner, dict):
        inner = list(inner.values())
    if not isinstance(inner, list):
        return ()
    values = [entry.get("value") if isinstance(entry, dict) else entry for entry in inner]
    return tuple(str(value) for value in values if value not in (None, ""))


def definition(need: FieldNeed) -> dict[str, Any]:
    """Return the body that makes a field (mautic:248-256, dossier 4.5)."""
    body: dict[str, Any] = {
        "label": need.label,
        "alias": need.alias,
        "type": need.type,
        "group": need.group,
        "object": "lead",
        "isPublished": True,
    }
    if need.type in TEXT_LIKE:
        body["charLengthLimit"] = length(need)
    if need.type == "number":
        body["properties"] = {"roundmode": 4, "scale": need.scale}
    if need.type == "boolean":
        body["properties"] = {"yes": "Yes", "no": "No"}
    if need.type in ("select", "multiselect"):
        body["properties"] = {"list": [{"label": choice, "value": choice} for choice in need.choices]}
    return body
