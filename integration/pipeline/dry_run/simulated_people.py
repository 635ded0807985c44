"""People that a dry run has met: the second order of a new person updates the contact that the first one creates."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from integration.mapping.consent import Consent
from integration.models.run import Run
from integration.pipeline.delivery.batch_context import Linked
from integration.pipeline.delivery.planning import PersonPlan

#: The values of so many people are remembered; of those met before them only that they would be in Mautic.
REMEMBERED_MAX_PEOPLE = 5000
_OF_RUN: WeakKeyDictionary[Run, Foreseen] = WeakKeyDictionary()


class Foreseen:
    """What Mautic would hold by now of the people that a dry run has met; kept in memory, lost with the process."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._recent: OrderedDict[str, Mapping[str, str]] = OrderedDict()
        self._consents: OrderedDict[str, tuple[Consent, ...]] = OrderedDict()

    def links(self, person_keys: Sequence[str], links: Mapping[str, Linked]) -> dict[str, Linked]:
        """Return the links as they would be by now."""
        return {**links, **{one: self._link(one, links.get(one)) for one in person_keys if hash(one) in self._met}}

    def _link(self, person_key: str, link: Linked | None) -> Linked:
        known = self._recent.get(person_key)
        return Linked(link.contact_id if link else 0, (link.hashes if link else {}) if known is None else known)

    def consents(self, known: Mapping[str, Sequence[Consent]]) -> dict[str, Sequence[Consent]]:
        """Return what the consent ledger would say by now: an account's word counts for its orders."""
        return {**known, **{key: (*known.get(key, ()), *said) for key, said in self._consents.items()}}

    def note(self, planned: Sequence[PersonPlan]) -> None:
        """Remember what would have been written."""
        for one in planned:
            if one.consents:
                person_key = one.group.person_key
                self._consents[person_key] = (*self._consents.get(person_key, ()), *one.consents)
            if one.write is not None:
                person_key = one.group.person_key
                self._met.add(hash(person_key))
                self._recent[person_key] = {**(one.link.hashes if one.link else {}), **one.hashes}
                self._recent.move_to_end(person_key)
        while len(self._recent) > REMEMBERED_MAX_PEOPLE:
            self._recent.popitem(last=False)
        while len(self._consents) > REMEMBERED_MAX_PEOPLE:
            self._consents.popitem(last=False)


def of_run(run: Run) -> Foreseen:
    """Return what was foreseen for a run in this process; it outlasts a pause in which the store did not answer."""
    return _OF_RUN.setdefault(run, Foreseen())
