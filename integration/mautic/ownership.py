"""Whose contact an id is: read behind known ids, or searched for by address.

An id is used only for the person whose address its contact was seen to have. Rows were once sent by id on the strength
of a search that found nobody, and two people's names landed in strangers' contacts.
"""

from __future__ import annotations

from collections.abc import Sequence

from integration.identity import normalise_email
from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.mautic.paging import number_of
from integration.mautic.repairs import Job
from integration.mautic.search import email_of


def read(client: MauticClient, jobs: Sequence[Job]) -> None:
    """Mark the jobs whose contact is seen to be theirs; the others lose their id, those without an address keep it.

    Raises ServiceError when Mautic cannot be read.
    """
    if not jobs:
        return
    held = reading.by_ids(client, [job.mautic_id for job in jobs if job.mautic_id is not None])
    for job in jobs:
        contact = held.get(job.mautic_id or 0)
        job.calls += 1
        job.seen = contact is not None and job.is_at(email_of(contact))
        if not job.seen and job.email:
            job.leave_id(stranger=contact is not None)


def search(client: MauticClient, jobs: Sequence[Job]) -> None:
    """Aim jobs that were refused for their address at the contacts that have it.

    Recorded as mautic:119, mautic:162, mautic:178 to mautic:186.

    That is the only one, or one of several, to which the address is not sent then. Where nobody is found the job is not
    `seen`: an empty search says nothing of the id it had. Raises ServiceError when Mautic cannot be read.
    """
    found = reading.by_emails(client, [job.email for job in jobs])
    for job in jobs:
        ids = [number_of(contact) for contact in found.get(normalise_email(job.email), ())]
        job.calls += 1
        job.searched, job.seen = True, bool(ids)
        if len(ids) == 1 and ids[0] != job.mautic_id:
            job.go_to(ids[0])
        elif ids:
            job.twin(tuple(ids))
