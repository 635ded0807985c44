"""A registered customer as a contact (P10 to P17)."""

from __future__ import annotations

from integration.events import Kind
from integration.identity import visible
from integration.mapping.field_values import person_values, unread
from integration.mapping.own_values import own_values
from integration.mapping.tags import typed_tags
from integration.plans import ContactWrite, Plan, Skip
from integration.records import Customer
from integration.settings import ContactModule, MappingModule, Modules, NamingModule, where

MODULE_OFF = Skip("module_off", "Contact Sync is switched off; switch it on under Contact Sync.")
NO_EMAIL = Skip("no_email", "The customer has no e-mail address; add one in the store.")
NOT_ON_CHANGE = Skip(
    "not_on_change", f"Customers who register or change are left out; switch it on under {where('contacts.on_change')}."
)

_NO_ROWS, _NO_NAME_SPACE = MappingModule(), NamingModule()
#: Given along, because settings make every module that they are not given: that costs more than the rest of a plan.
_DEFAULTS = dict(Modules())


def plan(
    customer: Customer,
    module: ContactModule,
    *,
    on_change: bool = False,
    mapping: MappingModule = _NO_ROWS,
    naming: NamingModule = _NO_NAME_SPACE,
) -> Plan | Skip:
    """Return what to write for a customer, or why nothing is; `on_change` says that a live change asks for it.

    `mapping` are a person's own rows: they go before the fixed ones. `naming` has the store's name space.
    """
    if not module.enabled:
        return MODULE_OFF
    if on_change and not module.on_change:
        return NOT_ON_CHANGE
    if not module.takes(customer.role):
        return Skip(
            "role",
            f"Users with the role “{customer.role}” are not synced; choose them under {where('contacts.roles')}.",
        )
    email = email_of(customer)
    if not visible(email):
        return NO_EMAIL
    modules = Modules.model_construct(**{**_DEFAULTS, "contacts": module, "mapping": mapping, "naming": naming})
    fields, adjustments = person_values(customer, Kind.CONTACT, modules)
    own = own_values(customer, Kind.CONTACT, modules)
    write = ContactWrite(email, own.over(fields), typed_tags(module.default_tags, naming.name_space))
    return Plan(write, adjustments=(*own.left(adjustments), *own.adjustments, *unread(customer)))


def email_of(customer: Customer) -> str:
    """Return the address of the customer's contact."""
    return email_among(customer.email, customer.billing.email)


def email_among(account: str, billing: str) -> str:
    """Return the account's address, or the billing one when the account's is empty or damaged.

    WordPress saves an address with `&` as `&amp;amp` or as nothing at all, while the billing address stays right
    (woo:109).
    """
    account, billing = account.strip(), billing.strip()
    damaged = "@" not in account or "&" in account
    return billing if damaged and billing else account
