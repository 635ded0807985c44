"""Settings that people change, checked alike for page, command line, API and import."""

from integration.settings.modules import AlertModule, ContactModule, Modules, OrderModule, SyncModule, keys

__all__ = ["AlertModule", "ContactModule", "Modules", "OrderModule", "SyncModule", "keys"]
