"""Settings of a connector's modules: typed, with the defaults of the plugin (P10 to P41), stored as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from integration.errors import SettingError


@dataclass(frozen=True, slots=True)
class ContactModule:
    """Contact Sync (P10 to P17)."""

    enabled: bool = True
    on_change: bool = True
    billing: bool = True
    phone: bool = True
    default_tags: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("customer", "subscriber")


@dataclass(frozen=True, slots=True)
class OrderModule:
    """Order Sync (P30 to P41); `emails` maps a status to a Mautic template e-mail id (0 = none)."""

    enabled: bool = True
    statuses: tuple[str, ...] = ("completed", "refunded")
    order_data: bool = True
    product_tags: bool = True
    product_id_tags: bool = False
    general_tags: tuple[str, ...] = ()
    remove_completed_tag: bool = False
    lifetime: bool = True
    paid_statuses: tuple[str, ...] = ("processing", "completed")
    notes: bool = False
    emails: Mapping[str, int] = field(default_factory=dict)
    segments: Mapping[str, int] = field(default_factory=dict)
    sku_filter: tuple[str, ...] = ()
    create_fields: bool = False


@dataclass(frozen=True, slots=True)
class SyncModule:
    """Schedule and batching: `every` in seconds between incremental reads, 0 = off; `cron` goes before it.

    `hourly_limit` is how many calls Mautic's host allows in an hour, 0 for no limit that is known.
    `policy` is what is done where somebody else has changed a contact (D6): store, mautic or fill. Of each
    `proof_every`th batch a sample is read back, 0 = never.
    """

    every: int = 300
    webhooks: bool = True
    batch_start: int = 50
    batch_max: int = 200
    lanes: int = 2
    cron: str = ""
    hourly_limit: int = 0
    policy: str = "store"
    proof_every: int = 20


@dataclass(frozen=True, slots=True)
class AlertModule:
    """When somebody is told (F3): a share of failures in percent, from so many records an hour on; so many periods
    of the schedule without a sync; more than so many dead letters.
    """

    failing_percent: int = 10
    failing_least: int = 20
    periods: int = 3
    dead_letters: int = 0


@dataclass(frozen=True, slots=True)
class Modules:
    """All module settings of one connector."""

    contacts: ContactModule = field(default_factory=ContactModule)
    orders: OrderModule = field(default_factory=OrderModule)
    sync: SyncModule = field(default_factory=SyncModule)
    alerts: AlertModule = field(default_factory=AlertModule)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Modules:
        """Return settings from stored JSON; unknown keys are dropped, missing ones take their defaults."""
        stored = stored or {}
        return cls(
            contacts=_load(ContactModule, stored.get("contacts")),
            orders=_load(OrderModule, stored.get("orders")),
            sync=_load(SyncModule, stored.get("sync")),
            alerts=_load(AlertModule, stored.get("alerts")),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON-ready dicts by module."""
        return asdict(self)

    def with_value(self, key: str, value: Any) -> Modules:
        """Return a copy with one dotted key set ("orders.notes"); text is parsed to the key's type.

        Raises SettingError naming the key when it is unknown or the value does not fit.
        """
        module, _, name = key.partition(".")
        part = getattr(self, module, None) if module in {item.name for item in fields(self)} else None
        if part is None or name not in {item.name for item in fields(part)}:
            raise SettingError(key, f"There is no setting “{key}”.", "The list is in `woo-mautic configure --help`.")
        parsed = _parse(key, getattr(part, name), value)
        changed = replace(part, **{name: parsed})
        _check(key, parsed)
        return replace(self, **{module: changed})


def keys() -> dict[str, Any]:
    """Return every dotted key with its default value."""
    defaults = Modules()
    return {
        f"{module.name}.{item.name}": getattr(getattr(defaults, module.name), item.name)
        for module in fields(Modules)
        for item in fields(getattr(defaults, module.name))
    }


def _load(cls: type[Any], stored: Any) -> Any:
    known = {item.name for item in fields(cls)}
    values = {key: value for key, value in dict(stored or {}).items() if key in known}
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _parse(key: str, default: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return tuple(value) if isinstance(default, tuple) else value
    if isinstance(default, bool):
        return _truth(key, value)
    if isinstance(default, int):
        return _whole(key, value)
    if isinstance(default, str):
        return value.strip()
    if isinstance(default, Mapping):
        return _pairs(key, value)
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def _truth(key: str, value: str) -> bool:
    word = value.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise SettingError(key, f"“{key}” must be yes or no, not “{value}”.", "Write yes or no.")


def _whole(key: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise SettingError(key, f"“{key}” must be a whole number, not “{value}”.", "Write digits only.") from None


def _pairs(key: str, value: str) -> dict[str, int]:
    pairs = [part.partition(":") for part in value.split(",") if part.strip()]
    return {name.strip(): _whole(key, number) for name, _, number in pairs}


_RANGES = {
    "sync.every": (0, 604800),
    "sync.batch_start": (1, 200),
    "sync.batch_max": (1, 200),
    "sync.lanes": (1, 8),
    "sync.proof_every": (0, 1000),
    "sync.hourly_limit": (0, 10_000_000),
    "alerts.failing_percent": (1, 100),
    "alerts.failing_least": (1, 1_000_000),
    "alerts.periods": (1, 1000),
    "alerts.dead_letters": (0, 1_000_000),
}
_CHOICES = {"sync.policy": ("store", "mautic", "fill")}


def _check(key: str, value: Any) -> None:
    choices = _CHOICES.get(key, (value,))
    if value not in choices:
        raise SettingError(key, f"“{value}” is no choice for “{key}”.", f"Choose one of {', '.join(choices)}.")
    low, high = _RANGES.get(key, (None, None))
    if low is not None and high is not None and not low <= value <= high:
        raise SettingError(key, f"“{key}” must be between {low} and {high}.", "Choose a number in that range.")
