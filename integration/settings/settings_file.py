"""Files that settings are taken from (P89): our own download, and a WordPress' options with those of Wootic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integration import json_text
from integration.errors import SettingError
from integration.field_errors import gathered
from integration.settings import wp_options
from integration.settings.modules import Modules, all_roles, keys
from integration.settings.wootic import Taken, taken

KIND, VERSION = "woo-mautic settings", 1
FILE_MAX_BYTES = 2_000_000
_DOWNLOAD = "Choose the file that “Download settings” gives, or an export of Wootic's options."
_NAME_SHOWN_MAX_CHARS = 80


def headed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with what tells the file's kind and version."""
    return {"kind": KIND, "version": VERSION, **settings}


def read(content: bytes) -> Taken:
    """Return what a file says; raises SettingError (file, or the keys that are none), all wrong keys at once."""
    if len(content) > FILE_MAX_BYTES:
        sentence = f"The file is larger than {FILE_MAX_BYTES // 1_000_000} MB, so it is none of settings alone."
        raise SettingError("file", sentence, "Of a dump of the whole database, give the lines of wp_options only.")
    text = _text(content).strip()
    if not text:
        raise SettingError("file", "There is nothing in it.", "Choose a file, or paste what it holds.")
    if text[0] in "[{":
        return _of_json(text)
    options = wp_options.of_sql(text) or wp_options.of_csv(text)
    if options is None:
        raise SettingError("file", "These are no settings: neither JSON, nor CSV, nor SQL rows of options.", _DOWNLOAD)
    return taken(options)


def defaults(module: str = "") -> Taken:
    """Return all settings, or those of one module, as they are at first; raises SettingError for no module."""
    if module and module not in Modules.model_fields:
        names = ", ".join(Modules.model_fields)
        raise SettingError("module", f"There is no module “{module[:40]}”.", f"Choose one of {names}.")
    return Taken({key: value for key, value in keys().items() if not module or key.startswith(f"{module}.")})


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingError("file", "The file is no text, so it has no settings.", _DOWNLOAD) from None


def _of_json(text: str) -> Taken:
    try:
        value = json_text.loads(text)
    except ValueError:
        raise SettingError("file", "This is not whole JSON.", "Download the file again, or paste all of it.") from None
    value = _only(value)
    if isinstance(value, Mapping) and ("modules" in value or "kind" in value):
        return _ours(value)
    options = wp_options.of_json(value)
    if options is None:
        raise SettingError("file", "This JSON is no file of settings.", _DOWNLOAD)
    return taken(options)


def _only(value: Any) -> Any:
    """Return the only connector of a list as `woo-mautic export-settings` prints it; other values as they are."""
    if not isinstance(value, list) or not any(isinstance(one, Mapping) and "modules" in one for one in value):
        return value
    if len(value) > 1:
        hint = "Export one connector: woo-mautic settings export ID"
        raise SettingError("file", f"The file has the settings of {len(value)} connectors.", hint)
    return value[0]


def _ours(value: Mapping[str, Any]) -> Taken:
    if value.get("kind", KIND) != KIND:
        kind = str(value["kind"])[:_NAME_SHOWN_MAX_CHARS]
        raise SettingError("file", f"This is another kind of file: “{kind}”.", _DOWNLOAD)
    version = value.get("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        sentence = f"The file is of version {str(version)[:20]}; this woo-mautic reads version {VERSION}."
        raise SettingError("file", sentence, "Update woo-mautic, or download the file again from one like this.")
    modules = value.get("modules")
    if not isinstance(modules, Mapping) or not modules:
        raise SettingError("file", "The file has no settings of modules.", _DOWNLOAD)
    return Taken(_dotted(modules))


def _dotted(modules: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted settings; raises SettingError for every name that there is no setting of."""
    parts = {**modules, **_former(modules)}
    found = {f"{module}.{name}": value for module, part in parts.items() for name, value in _part(part).items()}
    wrong = [_unknown(name) for name in sorted(set(found) - set(keys()))]
    wrong += [_unknown(str(module)) for module, part in modules.items() if not isinstance(part, Mapping)]
    if wrong:
        raise gathered(wrong)
    return found


def _former(modules: Mapping[str, Any]) -> dict[str, Any]:
    """Return the modules that a file from before there was a choice of roles has, as they were meant."""
    contacts = modules.get("contacts")
    return {"contacts": {**contacts, **all_roles(contacts)}} if isinstance(contacts, Mapping) else {}


def _part(part: Any) -> Mapping[str, Any]:
    return part if isinstance(part, Mapping) else {}


def _unknown(name: str) -> SettingError:
    shown = name[:_NAME_SHOWN_MAX_CHARS]
    return SettingError(shown, f"There is no setting “{shown}”.", "Take it out of the file.")
