"""Settings that people change, checked alike for page, command line, API and import."""

from integration.settings.carts import CartModule
from integration.settings.consent import ConsentModule
from integration.settings.mapping import MappingModule, MappingRow
from integration.settings.modules import (
    PAGES,
    TITLES,
    AlertModule,
    ContactModule,
    Modules,
    OrderModule,
    SyncModule,
    field_of,
    keys,
    label,
    where,
)
from integration.settings.naming import NamingModule
from integration.settings.subscribe import SubscribeModule

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
