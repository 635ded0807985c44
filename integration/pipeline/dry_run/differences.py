"""What a write would change at a contact, as far as the hashes of what Mautic last confirmed tell (X3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from integration.pipeline.delivery.batch_context import same
from integration.pipeline.delivery.planning import PersonPlan
from integration.plans import ContactWrite, DoNotContact, Value

_EMPTY = ("", None)


@dataclass(frozen=True, slots=True)
class Differences:
    """Aliases by what befalls them: `new` had no value of ours, `changed` another one, `blanked` is emptied.

    `barred` says in words what would befall Do Not Contact.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    blanked: tuple[str, ...] = ()
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    barred: str = ""

    def __str__(self) -> str:
        """Return it as words for a line of the run's log."""
        groups = {"new": self.new, "changed": self.changed, "blank": self.blanked}
        words = [f"{name}: {', '.join(aliases)}" for name, aliases in groups.items() if aliases]
        tags = [f"+{tag}" for tag in self.tags_added] + [f"-{tag}" for tag in self.tags_removed]
        barred = [f"Do Not Contact: {self.barred}"] if self.barred else []
        return "; ".join([*words, *([f"tags: {', '.join(tags)}"] if tags else []), *barred]) or "no value changes"


def of(planned: PersonPlan) -> Differences:
    """Return what the write of a line would change; nothing where there is none or nothing is to be sent."""
    if planned.write is None or planned.unchanged:
        return Differences()
    known = planned.link.hashes if planned.link else {}
    fresh = {_alias(key) for key, value in planned.hashes.items() if not same(known.get(key), value)}
    held = {_alias(key) for key in known}
    values = {alias: value for alias, value in _values(planned.write).items() if alias in fresh}
    filled = sorted(alias for alias, value in values.items() if value not in _EMPTY)
    return Differences(
        new=tuple(alias for alias in filled if alias not in held),
        changed=tuple(alias for alias in filled if alias in held),
        blanked=tuple(sorted(alias for alias, value in values.items() if value in _EMPTY and planned.link is not None)),
        tags_added=tuple(_tags(planned.write, fresh, remove=False)),
        tags_removed=tuple(_tags(planned.write, fresh, remove=True)) if planned.link is not None else (),
        barred=_barred(planned.write.do_not_contact),
    )


def _barred(wanted: DoNotContact | None) -> str:
    """Return what would befall Do Not Contact; whether the entry there is ours is seen when it is written."""
    return "" if wanted is None else "set" if wanted.wanted else "taken away if it is ours"


def _alias(key: str) -> str:
    return key.partition(".")[2]


def _values(write: ContactWrite) -> Mapping[str, Value]:
    return {**write.fields, **({"email": write.email} if write.email else {})}


def _tags(write: ContactWrite, fresh: set[str], *, remove: bool) -> Iterator[str]:
    for tag in write.tags:
        name = tag.removeprefix("-")
        if tag.startswith("-") is remove and f"tag:{name}" in fresh:
            yield name
