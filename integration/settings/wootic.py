"""What the options of the plugin Wootic are here, for a shop that moves over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integration.errors import SettingError
from integration.settings import php_values

PREFIX = "mautic_woocommerce_settings_"
#: Without “Send Partial Statuses” Wootic sent orders that were completed or refunded only.
_WHOLE = ("completed", "refunded")
_ALL = ("pending", "processing", "on-hold", "completed", "refunded", "cancelled", "failed")
_YES, _NO = ("yes", "1", "on", "true"), ("no", "0", "off", "false", "")


@dataclass(frozen=True, slots=True)
class Taken:
    """What options say: dotted settings, values of the connection by name, and the options that nothing is made of."""

    changes: Mapping[str, Any]
    connection: Mapping[str, str] = field(default_factory=dict, repr=False)
    unused: tuple[str, ...] = ()


def taken(options: Mapping[str, Any]) -> Taken:
    """Return what Wootic's options are here; raises SettingError for all that cannot be read, by the option's name."""
    ours = {name.removeprefix(PREFIX): value for name, value in options.items() if name.startswith(PREFIX)}
    if not ours:
        sentence = f"There is no option of Wootic in it: their names begin with {PREFIX}"
        hint = f"Export them with: wp option list --search='{PREFIX}*' --format=json"
        raise SettingError("file", sentence, hint)
    read = {name: _read(name, value) for name, value in ours.items()}
    changes = {key: kind(name, read[name]) for name, (key, kind) in _SETTINGS.items() if name in read}
    connection = {key: _text(name, read[name]) for name, key in _CONNECTION.items() if name in read}
    unused = tuple(sorted(PREFIX + name for name in set(read) - set(_SETTINGS) - set(_CONNECTION)))
    return Taken(changes, {key: value for key, value in connection.items() if value}, unused)


def _read(name: str, value: Any) -> Any:
    """Return an option's value, a serialised one read; what it holds is in no error, it may be the password."""
    if name not in _SETTINGS and name not in _CONNECTION:
        return None
    if not isinstance(value, str) or not php_values.is_serialised(value):
        return value
    try:
        return php_values.read(value)
    except ValueError:
        raise _unreadable(name, "is damaged") from None


def _unreadable(name: str, what: str) -> SettingError:
    return SettingError(PREFIX + name, f"The option {PREFIX}{name} {what}.", "Export it again, or take its line out.")


def _truth(name: str, value: Any) -> bool:
    word = "yes" if value is True else str(value or "").strip().lower()
    if word not in (*_YES, *_NO):
        raise _unreadable(name, "is neither yes nor no")
    return word in _YES


def _texts(name: str, value: Any) -> list[str]:
    given = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    texts = [part.strip() for each in given for part in _text(name, each).split(",")]
    return list(dict.fromkeys(filter(None, texts)))


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping | list | bool):
        raise _unreadable(name, "is no text")
    return "" if value is None else str(value)


def _statuses(name: str, value: Any) -> list[str]:
    return list(_ALL if _truth(name, value) else _WHOLE)


_CONNECTION = {"server": "mautic_url", "mautic_username": "mautic_user", "mautic_password": "mautic_password"}
#: Option without its prefix -> the setting, and how its value is read.
_SETTINGS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "mautic_sku_filter": ("orders.sku_filter", _texts),
    "mautic_send_partial_statuses": ("orders.statuses", _statuses),
    "mautic_add_phone": ("contacts.phone", _truth),
    "mautic_add_billing": ("contacts.billing", _truth),
    "mautic_add_note": ("orders.notes", _truth),
    "mautic_add_tags": ("orders.product_tags", _truth),
    "mautic_add_id_to_tags": ("orders.product_id_tags", _truth),
    "mautic_add_general_tags": ("orders.general_tags", _texts),
}
