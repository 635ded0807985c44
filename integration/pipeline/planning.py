"""Turns a line into one plan: each delivery mapped, the contact writes merged and fitted to Mautic."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from integration.errors import MappingError
from integration.events import HISTORICAL
from integration.events import Kind
from integration.events import Origin
from integration.mapping import contacts
from integration.mapping import orders
from integration.mapping.fields import fit
from integration.mapping.follow_ups import Sighting
from integration.mapping.merge import merge
from integration.pipeline import latest
from integration.pipeline import precedence
from integration.pipeline.desk import Desk
from integration.pipeline.desk import Linked
from integration.pipeline.desk import given_tags
from integration.pipeline.desk import hashes
from integration.pipeline.desk import unchanged
from integration.pipeline.follow_up_marks import Done
from integration.pipeline.follow_up_marks import is_done
from integration.pipeline.latest import Speaker
from integration.pipeline.ledger import LEAVES
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line
from integration.plans import Adjustment
from integration.plans import ContactWrite
from integration.plans import Lifetime
from integration.plans import Plan
from integration.plans import Skip
from integration.plans import Value
from integration.store import parse

#: The person is left out of a batch because the store no longer has the record.
GONE = Skip("gone", "The record no longer exists in the store.")
CONTACT_GONE = Skip("contact_gone", "The contact was deleted in Mautic, so nothing of it has to change.")


@dataclass
class Drawn:
    """A line with its plans: `write` is None when nothing is to be sent to the contact.

    `conflicts` maps a field to [store, Mautic] where somebody else's value is kept (D6). `lost` are fields that were
    sent and that Mautic turned out not to have.
    """

    line: Line
    link: Linked | None
    plans: dict[int, Plan] = field(default_factory=dict)
    skips: dict[int, Skip] = field(default_factory=dict)
    errors: dict[int, MappingError] = field(default_factory=dict)
    write: ContactWrite | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    unchanged: bool = False
    conflicts: dict[str, list[Value]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    @property
    def planned(self) -> list[Item]:
        """Return the deliveries that have something to do."""
        return [item for item in self.line.items if item.id in self.plans]


def draw(line: Line, desk: Desk, gone: frozenset[int] = frozenset()) -> Drawn:
    """Map every delivery of a line and merge the results; errors stay with the delivery that caused them."""
    drawn = Drawn(line, desk.links.get(line.subject))
    speaker = latest.Speaker(line, desk)
    for item in line.items:
        if item.id in gone:
            drawn.skips[item.id] = GONE
        else:
            _plan(drawn, item, desk, speaker, known=drawn.link is not None)
    if drawn.plans and drawn.link is None:
        # Who becomes a contact by one of the records is known to the others.
        for item in [item for item in line.items if _is_unsynced(drawn.skips.get(item.id))]:
            _plan(drawn, item, desk, speaker, known=True)
    _agree(drawn, desk)
    _fit(drawn, desk, speaker)
    return drawn


def _plan(drawn: Drawn, item: Item, desk: Desk, speaker: Speaker, *, known: bool) -> None:
    drawn.skips.pop(item.id, None)
    try:
        made = plan_of(item, desk, known=known, speaker=speaker)
    except MappingError as error:
        drawn.errors[item.id] = error
        return
    if isinstance(made, Skip):
        drawn.skips[item.id] = made
    else:
        drawn.plans[item.id] = made


def _is_unsynced(skip: Skip | None) -> bool:
    return skip is not None and skip.code == "status_not_synced"


def _agree(drawn: Drawn, desk: Desk) -> None:
    """Leave out what another record of the person has the last word on."""
    known = drawn.link.hashes if drawn.link else {}
    for number in precedence.older_accounts(drawn.planned, known):
        del drawn.plans[number]
        drawn.skips[number] = precedence.OLDER_ACCOUNT
    precedence.keep_held_tags(drawn.planned, drawn.plans, known, desk.people.rows(drawn.line.subject))


def _fit(drawn: Drawn, desk: Desk, speaker: Speaker) -> None:
    """Fit what each kind of record wants to Mautic, and keep only the kinds that have changed."""
    if not drawn.plans:
        return
    try:
        changed = {kind for kind in {item.kind for item in drawn.planned} if _changed(drawn, kind, desk)}
        plans = [drawn.plans[item.id] for item in drawn.planned if item.kind in changed or not changed]
        whole = merge(plans)
        drawn.write, fitted = fit(whole.contact, desk.fields, known=drawn.link is not None)
    except MappingError as error:
        drawn.errors.update(dict.fromkeys(drawn.plans, error))
        drawn.plans.clear()
        return
    drawn.adjustments = _once(whole.adjustments, fitted)
    if Kind.ORDER in changed:
        drawn.hashes.update(latest.notes(drawn.write, speaker))
    drawn.unchanged = not changed


def _changed(drawn: Drawn, kind: Kind, desk: Desk) -> bool:
    items = [item for item in drawn.planned if item.kind is kind]
    own = merge([drawn.plans[item.id] for item in items])
    fitted = fit(own.contact, desk.fields, known=drawn.link is not None)[0]
    wanted = hashes(kind, fitted, precedence.adders(items, drawn.plans))
    if unchanged(drawn.link, wanted) and desk.resend.isdisjoint(item.run_id for item in items):
        return False
    drawn.hashes.update(wanted)
    if kind is Kind.CONTACT:
        drawn.hashes[precedence.ACCOUNT] = max(map(precedence.rank, items))
    return True


def _once(*groups: Sequence[Adjustment]) -> tuple[Adjustment, ...]:
    return tuple({(a.field, a.sentence): a for group in groups for a in group}.values())


def plan_of(item: Item, desk: Desk, *, known: bool, speaker: Speaker | None = None) -> Plan | Skip:
    """Return what one delivery asks for; raises MappingError when its record cannot be mapped.

    `speaker` knows the person's other deliveries, None when there are none.
    """
    if item.kind is Kind.CONTACT:
        return _contact(item, desk)
    return _order(item, desk, known, speaker or Speaker(Line(item.subject, (item,)), desk))


def _contact(item: Item, desk: Desk) -> Plan | Skip:
    if item.what == "deleted":
        return Skip("deleted_in_store", "The customer was deleted in the store; the contact stays in Mautic.")
    live = item.origin in (Origin.WEBHOOK, Origin.POLL)
    return contacts.plan(parse.customer(item.payload), desk.modules.contacts, on_change=live)


def _order(item: Item, desk: Desk, known: bool, speaker: Speaker) -> Plan | Skip:
    lifetime, left = _lifetime(item, desk), latest.data_left(item.subject, desk)
    if item.what in LEAVES:
        email = str(item.payload.get("email") or "")
        made = orders.removal(
            email, desk.modules, lifetime=lifetime, known=known, shop_currency=desk.currency, data_left=left
        )
        return orders.MOVED if made is orders.REMOVED and item.what == "moved" else made
    order = parse.order(item.payload)
    since = order.status if order.status != item.what else desk.people.overtaken(item.subject, order)
    if order.status != item.what:
        # A retry reads the store again; what happened stays what happened.
        order = replace(order, status=item.what)
    # Who is new in Mautic has no newer values there that could be overwritten.
    overtaken = known and bool(since)
    return orders.plan(
        order,
        desk.modules,
        lifetime=lifetime,
        latest=not overtaken and desk.people.is_newest(item.subject, order, desk.synced),
        named=not overtaken and speaker.speaks(order),
        data_left=left,
        since=since,
        known=known,
        seen=Sighting(item.reached_at, item.origin in HISTORICAL, desk.connector.triggers or {}),
        shop_currency=desk.currency,
        shop=desk.shop,
        history=orders.History(desk.people.others(item.subject, order.id), given_tags(desk.links.get(item.subject))),
    )


def _lifetime(item: Item, desk: Desk) -> Lifetime:
    paid = desk.modules.orders.paid_statuses
    return desk.people.lifetime(item.subject, paid, desk.currency, desk.shop.decimals)


def sentences(adjustments: Sequence[Adjustment]) -> str:
    """Return what was changed in values as text for the log; what befell several fields alike is said once."""
    alike: dict[str, list[str]] = {}
    for adjustment in adjustments:
        names = _NAME.findall(adjustment.sentence)
        frame = adjustment.sentence.replace(f"“{names[0]}”", "“”", 1) if names else adjustment.sentence
        alike.setdefault(frame, []).append(names[0] if names else "")
    return " ".join(_said(frame, names) for frame, names in alike.items())


_NAME = re.compile(r"“([^”]+)”")


def _said(frame: str, names: list[str]) -> str:
    listed = "“" + "”, “".join(names) + "”"
    return frame.replace("“”", listed, 1) if names[0] else frame


def counts(drawn: Sequence[Drawn], done: Collection[Done] = ()) -> Mapping[str, int]:
    """Return how many deliveries would be written, skipped and refused: the forecast of a dry run.

    `done` are the follow-ups that were done before.
    """
    written = sum(0 if d.unchanged and not _follow_ups(d, done) else len(d.plans) for d in drawn)
    unchanged_ones = sum(len(d.plans) for d in drawn if d.unchanged and not _follow_ups(d, done))
    return {
        "written": written,
        "skipped": sum(len(d.skips) for d in drawn) + unchanged_ones,
        "failed": sum(len(d.errors) for d in drawn),
    }


def _follow_ups(drawn: Drawn, done: Collection[Done]) -> bool:
    acts = (act for plan in drawn.plans.values() for act in plan.follow_ups)
    contact_id = drawn.link.contact_id if drawn.link else 0
    return any(not is_done(act, contact_id, done) for act in acts)
