"""Settings of a connector's modules: typed, with the defaults of the plugin (P10 to P41), stored as JSON."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from integration.errors import SettingError
from integration.settings.errors import gathered, told
from integration.settings.kinds import Crontab, IdByStatus, Settings, Texts, Truth, Whole

#: Connectors whose parsed settings are kept in memory; one entry takes about 4 kB.
_CONNECTORS_CACHED_MAX = 256

#: The last format of marshal in which equal content is always written alike; it is three times as fast as JSON.
_PLAIN_FORMAT = 2


class ContactModule(Settings):
    """Contact Sync (P10 to P17)."""

    enabled: Truth = True
    on_change: Truth = True
    billing: Truth = True
    phone: Truth = True
    default_tags: Texts = ()
    roles: Texts = ("customer", "subscriber")


class OrderModule(Settings):
    """Order Sync (P30 to P41); `emails` maps a status to a Mautic template e-mail id (0 = none)."""

    enabled: Truth = True
    statuses: Texts = ("completed", "refunded")
    order_data: Truth = True
    product_tags: Truth = True
    product_id_tags: Truth = False
    general_tags: Texts = ()
    remove_completed_tag: Truth = False
    lifetime: Truth = True
    paid_statuses: Texts = ("processing", "completed")
    notes: Truth = False
    emails: IdByStatus = Field(default_factory=dict)
    segments: IdByStatus = Field(default_factory=dict)
    sku_filter: Texts = ()
    create_fields: Truth = False


class SyncModule(Settings):
    """Schedule and batching; a crontab goes before `every`."""

    every: Annotated[Whole, Field(ge=0, le=604_800, description="Seconds between incremental reads, 0 = off.")] = 300
    webhooks: Truth = True
    batch_start: Annotated[Whole, Field(ge=1, le=200, description="Records in the first batch.")] = 50
    batch_max: Annotated[Whole, Field(ge=1, le=200, description="Records in the largest batch.")] = 200
    lanes: Annotated[Whole, Field(ge=1, le=8, description="Calls to Mautic at a time.")] = 2
    cron: Crontab = ""
    hourly_limit: Annotated[
        Whole, Field(ge=0, le=10_000_000, description="Calls that Mautic's host allows in an hour, 0 = not known.")
    ] = 0
    policy: Annotated[
        Literal["store", "mautic", "fill"],
        Field(description="What is done where somebody else has changed a contact (D6)."),
    ] = "store"
    proof_every: Annotated[
        Whole, Field(ge=0, le=1000, description="One batch of so many has a sample read back, 0 = never.")
    ] = 20


class AlertModule(Settings):
    """When somebody is told (F3)."""

    failing_percent: Annotated[
        Whole, Field(ge=1, le=100, description="Share of the last hour's records that fail, in percent.")
    ] = 10
    failing_least: Annotated[
        Whole, Field(ge=1, le=1_000_000, description="Records in an hour from which the share counts.")
    ] = 20
    periods: Annotated[Whole, Field(ge=1, le=1000, description="Periods of the schedule without a sync.")] = 3
    dead_letters: Annotated[
        Whole, Field(ge=0, le=1_000_000, description="Dead letters above which an alert opens.")
    ] = 0


class Modules(Settings):
    """All module settings of one connector."""

    contacts: ContactModule = Field(default_factory=ContactModule)
    orders: OrderModule = Field(default_factory=OrderModule)
    sync: SyncModule = Field(default_factory=SyncModule)
    alerts: AlertModule = Field(default_factory=AlertModule)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Modules:
        """Return settings from stored JSON; unknown keys are dropped, missing and odd ones take their defaults.

        The same content gives the same object, so that reading the settings of each record costs little.
        """
        content = dict(stored) if isinstance(stored, Mapping) else {}
        return _parsed(marshal.dumps(content, _PLAIN_FORMAT))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON-ready dicts by module."""
        return self.model_dump()

    def with_value(self, key: str, value: Any) -> Modules:
        """Return a copy with one dotted key set ("orders.notes"); text is parsed to the key's type.

        Raises SettingError naming the key when it is unknown or the value does not fit.
        """
        return self.with_values({key: value})

    def with_values(self, values: Mapping[str, Any]) -> Modules:
        """Return a copy with dotted keys set, all or none; raises SettingError for all that do not fit."""
        by_module: dict[str, dict[str, Any]] = {}
        wrong: list[SettingError] = []
        for key, value in values.items():
            module, _, name = key.partition(".")
            if key in keys():
                by_module.setdefault(module, {})[name] = value
            else:
                wrong.append(_unknown(key))
        parts: dict[str, BaseModel] = {}
        for module, changes in by_module.items():
            try:
                parts[module] = _changed(getattr(self, module), changes)
            except ValidationError as error:
                wrong.append(told(error, type(getattr(self, module)), prefix=f"{module}."))
        if wrong:
            raise gathered(wrong)
        return self.model_copy(update=parts)


def keys() -> dict[str, Any]:
    """Return every dotted key with its default value."""
    return dict(_DEFAULTS)


def _unknown(key: str) -> SettingError:
    return SettingError(key, f"There is no setting “{key}”.", "The list is in `woo-mautic configure --help`.")


def _changed(part: BaseModel, changes: Mapping[str, Any]) -> BaseModel:
    return type(part).model_validate({**part.model_dump(), **changes})


@lru_cache(maxsize=_CONNECTORS_CACHED_MAX)
def _parsed(written: bytes) -> Modules:
    content = marshal.loads(written)
    parts: dict[str, Any] = {name: type(default).from_json(content.get(name)) for name, default in _PARTS.items()}
    return Modules.model_construct(**parts)


_PARTS: dict[str, Settings] = {name: getattr(Modules(), name) for name in Modules.model_fields}
_DEFAULTS: dict[str, Any] = {
    f"{module}.{name}": value for module, part in _PARTS.items() for name, value in part.model_dump().items()
}
