"""The table of contact fields: which field of Mautic is made of what in the store, for which records, and when.

Everything that has to know the fields asks here: what is asked of the store (store/reading.py), what is kept of a
record (store/parse.py), the contact's values (field_values.py), the fields that Mautic must have (fields.py), the page
Mautic Fields and the diagnostics. Another field of the store is another row. A connector with a name space has fields
of its own: `table` gives the rows with their names in it.

A person's own rows (settings/mapping.py) are rows of the same shape with a `rule`; own_values.py takes their values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from operator import attrgetter

from integration.events import Kind
from integration.mapping import aliases
from integration.records import Address
from integration.settings import MappingRow, Modules

#: The converter of values that are computed from more than one place; their `source` is a name.
COMPUTED = "computed"
#: The group of rows that make one postal address.
ADDRESS = "address"
#: Paths whose value every record has as an attribute of the same name, so that it is not kept a second time.
ATTRIBUTES = frozenset(f"billing.{each.name}" for each in dataclasses.fields(Address))

#: Characters that an order with a handful of items takes; a text field of 191 holds none.
_ORDER_DATA_MIN_CHARS = 2000
#: Nobody pays in more currencies than this holds; the longest word of a segment.
_TOTALS_MIN_CHARS, _RFM_MIN_CHARS = 500, 10
#: A link to a long host name, and what WooCommerce takes as a coupon's code.
_LINK_MIN_CHARS, _CODE_MIN_CHARS = 191, 64
#: No currency has more decimals (CLF).
_MONEY_SCALE = 4
_CONTACT, _ORDER, _CART, _BOTH = (Kind.CONTACT,), (Kind.ORDER,), (Kind.CART,), (Kind.CONTACT, Kind.ORDER)
#: Name spaces whose table is kept in memory; one takes some 5 kB.
_TABLES_CACHED_MAX = 256
#: Kind of record -> the part of the module settings that is about it.
_MODULES = {Kind.CONTACT: "contacts", Kind.ORDER: "orders", Kind.CART: "carts", Kind.SCORE: "orders"}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One contact field: plain data, so that rows can be stored as JSON.

    `alias` is the name that is wanted; Mautic may cut it (mautic:260). `source` is a path in the store's record
    ("billing.city", "meta_data._vat_number") or, with the converter "computed", the name of a value ("order_data").
    `fallbacks` are paths for records in which the source is blank. `setting` is the dotted module setting that
    switches the field, "" for none; then `default` says whether it is written. `converter` names an entry of
    field_values.CONVERTERS. Rows of one `group` are one value: where any is given, the others are emptied. A field that
    is `ours` is not one of Mautic's own and must be created: with at least `length` characters, `scale` decimals,
    `choices`. `rule` is the person's row that an own row was made of.
    """

    alias: str
    label: str
    type: str
    kinds: tuple[Kind, ...]
    source: str
    fallbacks: tuple[str, ...] = ()
    setting: str = ""
    default: bool = True
    converter: str = "text"
    group: str = ""
    ours: bool = False
    length: int | None = None
    scale: int = 2
    choices: tuple[str, ...] = ()
    rule: MappingRow | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the places of the record that the value is taken from, the usual one first; () if computed."""
        return () if self.converter == COMPUTED else (self.source, *self.fallbacks)


def _address(alias: str, label: str, source: str, type: str = "text", converter: str = "text") -> FieldRow:
    return FieldRow(alias, label, type, _BOTH, source, setting="contacts.billing", converter=converter, group=ADDRESS)


def _lifetime(alias: str, label: str, type: str, source: str, scale: int = 2) -> FieldRow:
    setting = "orders.lifetime"
    return FieldRow(alias, label, type, _ORDER, source, setting=setting, converter=COMPUTED, ours=True, scale=scale)


def _rfm(alias: str, label: str, source: str) -> FieldRow:
    setting, length = "orders.rfm", _RFM_MIN_CHARS
    return FieldRow(alias, label, "text", (Kind.SCORE,), source, (), setting, False, COMPUTED, ours=True, length=length)


def _cart(alias: str, label: str, type: str, source: str, length: int) -> FieldRow:
    return FieldRow(alias, label, type, _CART, source, converter=COMPUTED, ours=True, length=length)


FIELD_MAP: tuple[FieldRow, ...] = (
    FieldRow("firstname", "First Name", "text", _CONTACT, "first_name", ("billing.first_name",)),
    FieldRow("lastname", "Last Name", "text", _CONTACT, "last_name", ("billing.last_name",)),
    FieldRow("firstname", "First Name", "text", _ORDER, "billing.first_name"),
    FieldRow("lastname", "Last Name", "text", _ORDER, "billing.last_name"),
    _address("company", "Company", "billing.company"),
    _address("address1", "Address Line 1", "billing.address_1"),
    _address("address2", "Address Line 2", "billing.address_2"),
    _address("city", "City", "billing.city"),
    _address("zipcode", "Zip Code", "billing.postcode"),
    _address("country", "Country", "billing.country", "country", "country"),
    _address("state", "State", "billing.state", "region", "state"),
    FieldRow("phone", "Phone", "tel", _BOTH, "billing.phone", setting="contacts.phone"),
    FieldRow(
        aliases.ORDER_DATA,
        "Woo order data",
        "textarea",
        _ORDER,
        "order_data",
        setting="orders.order_data",
        converter=COMPUTED,
        ours=True,
        length=_ORDER_DATA_MIN_CHARS,
    ),
    _lifetime(aliases.TOTAL_SPENT, "Woo total spent", "number", "lifetime.total_spent", _MONEY_SCALE),
    _lifetime(aliases.ORDER_COUNT, "Woo order count", "number", "lifetime.order_count"),
    _lifetime(aliases.LAST_ORDER, "Woo last order date", "date", "lifetime.last_day"),
    _lifetime(aliases.FIRST_ORDER, "Woo first order date", "date", "lifetime.first_day"),
    _lifetime(aliases.AVERAGE, "Woo average order value", "number", "lifetime.average", _MONEY_SCALE),
    FieldRow(
        aliases.CURRENCY_TOTALS,
        "Woo totals by currency",
        "textarea",
        _ORDER,
        "lifetime.by_currency",
        setting="orders.currency_totals",
        default=False,
        converter=COMPUTED,
        ours=True,
        length=_TOTALS_MIN_CHARS,
    ),
    _rfm(aliases.RFM, "Woo RFM classes", "rfm.classes"),
    _rfm(aliases.RFM_SEGMENT, "Woo RFM segment", "rfm.segment"),
    _cart(aliases.CART_DATA, "Woo cart data", "textarea", "cart_data", _ORDER_DATA_MIN_CHARS),
    _cart(aliases.RECOVERY_URL, "Woo recovery link", "url", "recovery_url", _LINK_MIN_CHARS),
    _cart(aliases.COUPON_CODE, "Woo recovery coupon", "text", "coupon_code", _CODE_MIN_CHARS),
    _cart(aliases.CART_HTML, "Woo cart table", "html", "cart_html", _ORDER_DATA_MIN_CHARS),
)


@lru_cache(maxsize=_TABLES_CACHED_MAX * len(Kind))
def rows(kind: Kind, name_space: str = "") -> tuple[FieldRow, ...]:
    """Return the rows of one kind of record, those that are switched off too, named for a name space."""
    return tuple(row for row in table(name_space) if kind in row.kinds)


def written(kind: Kind, modules: Modules) -> Iterator[FieldRow]:
    """Return the rows that records of this kind write under these settings."""
    return (row for row in rows(kind, modules.naming.name_space) if is_on(row, modules))


def table(name_space: str) -> tuple[FieldRow, ...]:
    """Return all rows with our own fields named for a name space; what is not ours is the person's in all stores."""
    return _spaced_table(name_space) if name_space else FIELD_MAP


@lru_cache(maxsize=_TABLES_CACHED_MAX)
def _spaced_table(name_space: str) -> tuple[FieldRow, ...]:
    return tuple(_spaced(row, name_space) if row.ours else row for row in FIELD_MAP)


def _spaced(row: FieldRow, name_space: str) -> FieldRow:
    return replace(row, alias=aliases.spaced(row.alias, name_space), label=f"{row.label} ({name_space})")


def own(kind: Kind, modules: Modules) -> list[FieldRow]:
    """Return a person's own rows for one kind of record, in their order."""
    return [_own(row) for row in modules.mapping.rows if row.kind == kind]


def _own(row: MappingRow) -> FieldRow:
    return FieldRow(
        row.alias,
        row.alias,
        row.field_type,
        (Kind(row.kind),),
        row.source,
        converter=row.format,
        length=row.field_limit,
        rule=row,
    )


def own_paths(kind: Kind, modules: Modules) -> tuple[str, ...]:
    """Return the places that own rows look at and that a record has not as an attribute, each once."""
    found = (path for row in modules.mapping.rows if row.kind == kind for path in row.paths)
    return tuple(dict.fromkeys(path for path in found if path not in ATTRIBUTES))


def fixed(kind: Kind, alias: str) -> list[FieldRow]:
    """Return the fixed rows of a kind for one field, switched on or not."""
    return [row for row in rows(kind) if row.alias == alias]


def made_by_us(name_space: str) -> frozenset[str]:
    """Return the aliases of our own fields in a name space, as wanted and as Mautic cuts them."""
    wanted = {row.alias for row in table(name_space) if row.ours}
    return frozenset(wanted | {aliases.cut(alias) for alias in wanted})


def is_made_by_us(alias: str) -> bool:
    """Tell whether a field is one of ours in whatever name space: no own row may write it."""
    return alias in made_by_us(aliases.name_space_of(alias))


def computed(source: str, modules: Modules) -> list[FieldRow]:
    """Return the rows that orders write and whose value is the computed one of this name."""
    return [row for row in _computed(source, modules.naming.name_space) if is_on(row, modules)]


@lru_cache(maxsize=_TABLES_CACHED_MAX)
def _computed(source: str, name_space: str) -> tuple[FieldRow, ...]:
    mine = (row for row in rows(Kind.ORDER, name_space) if row.converter == COMPUTED)
    return tuple(row for row in mine if row.source == source)


def is_on(row: FieldRow, modules: Modules) -> bool:
    """Tell whether the row is switched on, whatever module it belongs to."""
    return bool(_setting(row.setting)(modules)) if row.setting else row.default


#: Dotted key of a setting -> what takes it out of the modules.
_setting = cache(attrgetter)


def required(modules: Modules) -> list[tuple[FieldRow, tuple[str, ...]]]:
    """Return the rows of fields that Mautic does not have of its own, and the enabled modules that write them.

    Each alias is in it once, with the modules of all its rows: contacts, orders, carts. Own rows stand at the end.
    """
    found: dict[str, tuple[FieldRow, tuple[str, ...]]] = {}
    for row in (*table(modules.naming.name_space), *(_own(each) for each in modules.mapping.rows)):
        writers = tuple(_MODULES[kind] for kind in row.kinds if attrgetter(f"{_MODULES[kind]}.enabled")(modules))
        if (row.ours or row.rule) and writers and is_on(row, modules):
            first, before = found.get(row.alias, (row, ()))
            found[row.alias] = first, tuple(dict.fromkeys((*before, *writers)))
    return list(found.values())


@cache
def paths(kind: Kind) -> tuple[str, ...]:
    """Return every place of the store's record that a row of this kind may take a value from, each once."""
    return tuple(dict.fromkeys(path for row in rows(kind) for path in row.paths))


@cache
def roots(kind: Kind) -> tuple[str, ...]:
    """Return the parts of the store's record that the paths lie in ("billing", "meta_data"), each once."""
    return tuple(dict.fromkeys(path.partition(".")[0] for path in paths(kind)))


@cache
def address_aliases() -> tuple[str, ...]:
    """Return the fields that make an address: whoever gives one of them says of the others that they are empty."""
    return tuple(dict.fromkeys(row.alias for row in FIELD_MAP if row.group == ADDRESS))
