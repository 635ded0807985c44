"""Settings that people change, checked alike for page, command line, API and import."""

from integration.settings.alerts import AlertModule
from integration.settings.carts import CartModule
from integration.settings.consent import ConsentModule
from integration.settings.mapping import MappingModule, MappingRow
from integration.settings.modules import (
    PAGES,
    TITLES,
    ContactModule,
    Modules,
    OrderModule,
    field_of,
    keys,
    label,
    where,
)
from integration.settings.naming import NamingModule
from integration.settings.subscribe import SubscribeModule
from integration.settings.sync import SyncModule

__all__ = [
    "PAGES",
    "TITLES",
    "AlertModule",
    "CartModule",
    "ConsentModule",
    "ContactModule",
    "MappingModule",
    "MappingRow",
    "Modules",
    "NamingModule",
    "OrderModule",
    "SubscribeModule",
    "SyncModule",
    "field_of",
    "keys",
    "label",
    "where",
]
