"""Who has filled in the subscribe form as a plan: the e-mail with the link, then name, tags and segment (P100)."""

from __future__ import annotations

from integration.mapping.tags import typed_tags
from integration.plans import ContactWrite, Plan, SegmentAdd, SendEmail, Skip, Value
from integration.records import Subscriber
from integration.settings import Modules, where

#: What stands in the e-mail where the link is to be.
LINK_TOKEN = "mautic_woo_confirm_url"
NO_LINK = Skip(
    "no_confirmation_email",
    f"No e-mail is chosen that carries the confirmation link; choose one under {where('subscribe.email')}.",
)
#: What a follow-up's mark calls a subscription, so that it is none of the order with the same number.
_MARK = "subscription:{}"


def asked(subscriber: Subscriber, modules: Modules) -> Plan | Skip:
    """Return the plan of who has yet to confirm: a contact with its address alone, for Mautic sends only to contacts.

    Nothing else that was typed is written: anybody can type anybody's address, and the name would stand in the e-mail.
    """
    if not modules.subscribe.email:
        return NO_LINK
    link = {LINK_TOKEN: subscriber.confirmation_url}
    email = SendEmail(_MARK.format(subscriber.id), "asked", modules.subscribe.email, link)
    return Plan(ContactWrite(subscriber.email), (email,))


def subscribed(subscriber: Subscriber, modules: Modules, *, known: bool) -> Plan:
    """Return the plan of who has subscribed; the names of those who are `known` are not changed without a proof.

    It is asserted: who subscribes anew may have lost tag and segment in Mautic by unsubscribing.
    """
    module = modules.subscribe
    names = {} if known and not subscriber.confirmed else _names(subscriber)
    joins = (SegmentAdd(module.segment, _MARK.format(subscriber.id), "subscribed"),) if module.segment else ()
    tags = typed_tags(module.tags, modules.naming.name_space)
    return Plan(ContactWrite(subscriber.email, names, tags), joins, asserted=True)


def _names(subscriber: Subscriber) -> dict[str, Value]:
    given = {"firstname": subscriber.first_name, "lastname": subscriber.last_name}
    return {alias: name for alias, name in given.items() if name}
