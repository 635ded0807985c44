"""The kinds of records that take the road, each a stream: a new kind is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from integration.events import Kind
from integration.settings import Modules
from integration.streams.base import Explanation, Labels, Stream
from integration.streams.carts import Carts
from integration.streams.contacts import Contacts
from integration.streams.orders import Orders
from integration.streams.recurring import Recurring
from integration.streams.scores import Scores

__all__ = [
    "STREAMS",
    "Explanation",
    "Labels",
    "Stream",
    "entities",
    "explain",
    "kinds",
    "labels",
    "of",
    "of_module",
    "skip_codes",
]

#: In this order a person's records are written by an import: what comes last is what stands in Mautic.
STREAMS: dict[Kind, Stream] = {stream.kind: stream for stream in (Carts(), Scores(), Recurring(), Orders(), Contacts())}
# The same registry: a kind is the text that stands for it.
_BY_NAME = cast(Mapping[str, Stream], STREAMS)

_ANY: Mapping[str, Explanation] = {
    "gone": Explanation(
        "The record is no longer in the store, so it could not be read again.",
        "the trash of the store: restore the record, then send it again",
        "store",
    ),
    "asked": Explanation(
        "A webhook told no more than the record's id, so the record was read from the store and goes out by itself.",
        "the plugin that changes the store's webhooks, if it comes often",
        "store",
    ),
    "blocked": Explanation(
        "The person was erased and is not to be taken up again.", "Privacy: let the address in again", "privacy"
    ),
    "still_there": Explanation(
        "A webhook said that the record was deleted, but the store still has it.",
        "the record in the store",
        "store",
    ),
    "contact_gone": Explanation(
        "The contact was deleted in Mautic, so nothing of it has to change.",
        "Runs: a run that sends unchanged records too makes the contact again",
        "runs",
    ),
    "unchanged": Explanation(
        "Mautic has all of it already: nothing has changed since the last sync.",
        "Runs: a run can be told to send unchanged records too",
        "runs",
    ),
}
_OTHER = Explanation("Nothing had to be sent.", "the record's own page, which has the details", "records")


def of(kind: str) -> Stream:
    """Return the stream of a kind; raises ValueError for none that is known."""
    return STREAMS[Kind(kind)]


def labels(kind: str) -> Labels:
    """Return the words for a kind, for one that no stream has the kind's name."""
    stream = _BY_NAME.get(kind)
    if stream is not None:
        return stream.labels
    word = kind.replace("_", " ").capitalize()
    return Labels(word, word, word)


def entities(modules: Modules | None = None) -> dict[str, str]:
    """Return kind -> word in lists, contacts first; of the kinds that are switched on, of all usual ones if none is."""
    every = {kind.value: stream for kind, stream in reversed(STREAMS.items())}
    usual = {kind: stream for kind, stream in every.items() if not stream.optional}
    chosen = {kind: one for kind, one in every.items() if modules is None or one.is_enabled(modules)} or usual
    return {kind: one.labels.entity for kind, one in chosen.items()}


def of_module(name: str) -> Stream:
    """Return the stream that a module of the settings is named for; what else it brings has a switch of its own."""
    return next(stream for stream in STREAMS.values() if stream.module == name and not stream.optional)


def kinds(which: str) -> list[Kind]:
    """Return the kinds whose stream has a property, such as `numbered`, `in_ledger` or `collapses`."""
    return [kind for kind, stream in STREAMS.items() if getattr(stream, which)]


def explain(code: str, kind: str = "") -> Explanation:
    """Return why a record of this kind was skipped with this code, and where that is changed (D5)."""
    own = [stream for stream in STREAMS.values() if stream.kind == kind]
    told = (stream.skip_reasons.get(code) for stream in (*own, *STREAMS.values()))
    return next(filter(None, told), None) or _ANY.get(code, _OTHER)


def skip_codes() -> frozenset[str]:
    """Return every code that a record can be skipped with."""
    return frozenset(_ANY).union(*(stream.skip_reasons for stream in STREAMS.values()))
