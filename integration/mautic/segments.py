"""Segments: which there are, adding contacts to one and taking them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from integration.errors import AuthRejected, Rejected
from integration.mautic.answers import SERVICE
from integration.mautic.batches import BATCH_MAX_ROWS
from integration.mautic.client import MauticClient
from integration.mautic.paging import every, number_of


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of contacts; one that is not published takes no contacts (mautic:236)."""

    id: int
    name: str
    alias: str
    published: bool = True


class Segments:
    """Reads segments and adds contacts to them; adding twice is harmless (mautic:233)."""

    def __init__(self, client: MauticClient) -> None:
        self.client = client

    def list(self) -> tuple[Segment, ...]:
        """Return all segments by name; the answer's key is `lists` (mautic:229)."""
        found = [_segment(entity) for entity in every(self.client, "segments", "lists")]
        return tuple(sorted(found, key=lambda segment: (segment.name.casefold(), segment.id)))

    def add(self, segment_id: int, contact_ids: Sequence[int]) -> dict[int, bool]:
        """Add the contacts and return id -> added; False for a contact that Mautic does not have (mautic:237).

        Raises Rejected (segment_gone, segment_unpublished) for the segment itself (mautic:235, mautic:236, mautic:240).
        """
        results: dict[int, bool] = {}
        for ids in _pieces([*dict.fromkeys(contact_ids)]):
            results |= self._add(segment_id, ids)
        return results

    def remove(self, segment_id: int, contact_id: int) -> bool:
        """Take a contact out of the segment; False when Mautic has no such contact. There is no call for several.

        Twice is harmless (mautic:245). Raises Rejected (segment_gone).
        """
        try:
            value = self.client.post(f"segments/{segment_id}/contact/{contact_id}/remove")
        except Rejected as error:
            if error.status != 404:
                raise
            return False
        return isinstance(value, dict) and bool(value.get("success"))

    def _add(self, segment_id: int, ids: Sequence[int]) -> dict[int, bool]:
        try:
            value = self.client.post(f"segments/{segment_id}/contacts/add", {"ids": [*ids]})
        except Rejected as error:
            raise _gone(segment_id, error) if error.status == 404 else error from error
        except AuthRejected as error:
            self._blame(segment_id, error)
            raise
        details = value.get("details") if isinstance(value, dict) else None
        return {number: _added(details, number) for number in ids}

    def _blame(self, segment_id: int, error: AuthRejected) -> None:
        """Raise Rejected when the 403 is the unpublished segment's and not a missing right's (dossier M27)."""
        if error.code != "no_right":
            return
        value = self.client.get(f"segments/{segment_id}")
        entity = value.get("list") if isinstance(value, dict) else None
        if isinstance(entity, dict) and not entity.get("isPublished"):
            sentence = f"The segment {entity.get('name')} is not published in Mautic, so it takes no contacts."
            raise Rejected(
                SERVICE, "segment_unpublished", sentence, "Publish it in Mautic, or choose another.", status=403
            ) from error


def _gone(segment_id: int, error: Rejected) -> Rejected:
    sentence = f"Mautic has no segment {segment_id} any more."
    return Rejected(SERVICE, "segment_gone", sentence, "Choose another in the settings.", status=error.status)


def _added(details: Any, number: int) -> bool:
    """Read one id's result; `details` is [] when nothing was done (mautic:239, mautic:241)."""
    entry = details.get(str(number)) if isinstance(details, dict) else None
    return isinstance(entry, dict) and bool(entry.get("success"))


def _segment(entity: dict[str, Any]) -> Segment:
    return Segment(
        number_of(entity),
        str(entity.get("name") or ""),
        str(entity.get("alias") or ""),
        bool(entity.get("isPublished")),
    )


def _pieces(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), BATCH_MAX_ROWS):
        yield ids[start : start + BATCH_MAX_ROWS]
