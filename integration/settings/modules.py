"""Settings of a connector's modules: typed, with the defaults of the plugin (P10 to P41), stored as JSON."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from integration.errors import SettingError
from integration.field_errors import gathered, titles, told
from integration.settings.alerts import AlertModule
from integration.settings.carts import CartModule
from integration.settings.consent import ConsentModule
from integration.settings.kinds import IdByStatus, Roles, Settings, Text, Texts, Truth, Whole
from integration.settings.mapping import MappingModule
from integration.settings.naming import NamingModule
from integration.settings.subscribe import SubscribeModule
from integration.settings.sync import SyncModule

#: Connectors whose parsed settings are kept in memory; one entry takes about 4 kB.
_CONNECTORS_CACHED_MAX = 256

#: The last format of marshal in which equal content is always written alike; it is three times as fast as JSON.
_PLAIN_FORMAT = 2


class ContactModule(Settings):
    """Contact Sync (P10 to P17)."""

    enabled: Truth = Field(default=True, title="Contact Sync")
    on_change: Truth = Field(default=True, title="On change")
    billing: Truth = Field(default=True, title="Billing address")
    phone: Truth = Field(default=True, title="Phone")
    default_tags: Texts = Field(default=(), title="Tags for every contact")
    role_choice: Literal["all", "these"] = Field(default="these", title="Which customers")
    roles: Roles = Field(default=("customer", "subscriber"), title="Customers with these roles")
    on_delete: Literal["keep", "tag", "segments", "delete"] = Field(
        default="keep", title="When a customer is deleted in the store"
    )
    deleted_tag: Text = Field(default="deleted_in_store", max_length=191, title="Tag for deleted customers")
    deleted_segment: Whole = Field(default=0, ge=0, title="Segment that deleted customers leave")

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Return stored settings; those from before there was a choice of roles mean what they meant."""
        return super().from_json({**stored, **all_roles(stored)} if isinstance(stored, Mapping) else stored)

    def takes(self, role: str) -> bool:
        """Return whether users of the store with this role are synced; roles are compared as slugs."""
        return self.role_choice == "all" or _slug(role) in {_slug(each) for each in self.roles}

    def contradictions(self) -> list[SettingError]:
        """Return what must not be saved together; what is stored from before is read all the same."""
        found = []
        if self.enabled and self.role_choice == "these" and not self.roles:
            hint = "Tick at least one, or choose all roles."
            found.append(SettingError("contacts.roles", "Without a role no customer would be sent.", hint))
        if self.on_delete == "tag" and not self.deleted_tag:
            hint = "Write a tag, or choose something else for deleted customers."
            found.append(SettingError("contacts.deleted_tag", "Without a tag nothing would be done.", hint))
        return found


def all_roles(stored: Mapping[str, Any]) -> dict[str, str]:
    """Return the choice of roles that settings without one have meant: no role was all of them."""
    old = "roles" in stored and "role_choice" not in stored
    return {"role_choice": "all"} if old and stored["roles"] in ([], (), "") else {}


def _slug(name: str) -> str:
    return "_".join(name.replace("-", " ").lower().split())


class OrderModule(Settings):
    """Order Sync (P30 to P41); `emails` maps a status to a Mautic template e-mail id (0 = none)."""

    enabled: Truth = Field(default=True, title="Order Sync")
    statuses: Texts = Field(default=("completed", "refunded"), title="Orders with these statuses")
    order_data: Truth = Field(default=True, title="Latest order")
    product_tags: Truth = Field(default=True, title="Product tags")
    product_id_tags: Truth = Field(default=False, title="Product ID")
    category_tags: Truth = Field(default=False, title="Category tags")
    general_tags: Texts = Field(default=(), title="Tags for every order")
    remove_completed_tag: Truth = Field(default=False, title="On refund")
    lifetime: Truth = Field(default=True, title="Lifetime values")
    currency_totals: Truth = Field(default=False, title="Totals by currency")
    rfm: Truth = Field(default=False, title="RFM")
    paid_statuses: Texts = Field(default=("processing", "completed"), title="Statuses that count as paid")
    subscriptions: Truth = Field(default=False, title="Subscription tags")
    notes: Truth = Field(default=False, title="Notes")
    emails: IdByStatus = Field(default_factory=dict, title="E-mail on status")
    segments: IdByStatus = Field(default_factory=dict, title="Segment on status")
    sku_filter: Texts = Field(default=(), title="Only orders with these SKUs")
    create_fields: Truth = Field(default=False, title="Missing fields")

    def contradictions(self) -> list[SettingError]:
        """Return what must not be saved together; what is stored from before is read all the same."""
        found = []
        if self.enabled and not self.statuses:
            hint = "Tick at least one, or switch Order Sync off."
            found.append(SettingError("orders.statuses", "Without a status no order would be sent.", hint))
        if self.enabled and (self.lifetime or self.currency_totals or self.rfm) and not self.paid_statuses:
            hint = "Tick at least one, or switch the lifetime values, totals by currency and RFM off."
            found.append(SettingError("orders.paid_statuses", "Without a status nothing would count as paid.", hint))
        return found


#: Modules that say which of their settings must not be saved together.
_CHECKED = ContactModule | OrderModule | CartModule | SubscribeModule | MappingModule | ConsentModule


class Modules(Settings):
    """All module settings of one connector."""

    contacts: ContactModule = Field(default_factory=ContactModule)
    consent: ConsentModule = Field(default_factory=ConsentModule)
    orders: OrderModule = Field(default_factory=OrderModule)
    carts: CartModule = Field(default_factory=CartModule)
    subscribe: SubscribeModule = Field(default_factory=SubscribeModule)
    sync: SyncModule = Field(default_factory=SyncModule)
    alerts: AlertModule = Field(default_factory=AlertModule)
    mapping: MappingModule = Field(default_factory=MappingModule)
    naming: NamingModule = Field(default_factory=NamingModule)

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

    def with_values(self, values: Mapping[str, Any], words: Mapping[str, str] | None = None) -> Modules:
        """Return a copy with dotted keys set, all or none; raises SettingError for all that do not fit.

        `words` are what the errors call the keys, such as TITLES on pages; without them they stand as they are.
        """
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
                wrong.append(told(error, type(getattr(self, module)), words, f"{module}."))
        for part in parts.values():
            if isinstance(part, _CHECKED):
                wrong += part.contradictions()
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
_MODELS: dict[str, type[Settings]] = {name: type(part) for name, part in _PARTS.items()}
#: Dotted key -> what pages call the setting.
TITLES: dict[str, str] = {
    key: title for module, model in _MODELS.items() for key, title in titles(model, f"{module}.").items()
}
#: Module -> the page that has its settings.
PAGES = {
    "contacts": "Contact Sync",
    "consent": "Consent",
    "orders": "Order Sync",
    "carts": "Abandoned Cart",
    "subscribe": "Subscribe form",
    "sync": "Settings",
    "alerts": "Alerts",
    "mapping": "Field mapping",
    "naming": "Settings",
}


def label(key: str) -> str:
    """Return what people call a dotted key, as "Order Sync: Tags for every order"; raises KeyError for another."""
    page, title = PAGES[key.partition(".")[0]], TITLES[key]
    return page if page == title else f"{page}: {title}"


def where(key: str) -> str:
    """Return where a dotted key is changed, as "Order Sync, “Tags for every order”"; raises KeyError for another."""
    page, title = PAGES[key.partition(".")[0]], TITLES[key]
    return page if page == title else f"{page}, “{title}”"


def field_of(key: str) -> FieldInfo:
    """Return what the models say of a dotted key: its type, title, limits and help; raises KeyError for another."""
    module, _, name = key.partition(".")
    return _MODELS[module].model_fields[name]
