"""Which module has which command: a command loads its own alone, which spares it a seventh of its memory at rest."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import click

_NAMES: Mapping[str, tuple[str, ...]] = {
    "serving": ("serve", "demo"),
    "connecting": (
        "connect",
        "connectors",
        "check",
        "configure",
        "fields",
        "webhooks",
        "confirm-store",
        "export-settings",
        "delete",
    ),
    "field_mapping": ("field-mapping",),
    "settings_files": ("settings",),
    "states": ("pause", "unpause", "debug", "alerts"),
    "syncing": ("worker", "sync", "pause-run", "resume"),
    "runs": ("runs", "run", "cancel", "records"),
    "pushing": ("push",),
    "logs": ("log", "clear-log", "export-log"),
    "dead_letters": ("dead-letters", "replay", "discard", "edit"),
    "people": ("carts", "subscriptions"),
    "alert_groups": ("alert-groups",),
    "storage": ("storage",),
    "reconciling": ("reconcile",),
    "diagnose": ("bundle", "mapping"),
    "users": ("user",),
    "tokens": ("token",),
    "audit": ("audit",),
    "backups": ("backup", "restore", "migrate"),
    "leaving": ("erase", "uninstall"),
    "rotating": ("rotate-secrets",),
}
MODULES: Mapping[str, str] = {name: module for module, names in _NAMES.items() for name in names}


class Commands(click.Group):
    """A group whose commands are loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the alphabet."""
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None where there is none of this name."""
        if cmd_name not in MODULES:
            return None
        module = import_module(f"integration.cli.{MODULES[cmd_name]}")
        return next(each for each in cast(tuple[click.Command, ...], module.COMMANDS) if each.name == cmd_name)
