"""Judges failures of contact rows: whose fault it is, and what to tell about it."""

from __future__ import annotations

import re
from typing import Any

from integration.errors import NotSetUp, Rejected, ServerFault, ServiceError, Unreachable
from integration.http.marks import GAVE_UP
from integration.identity import normalise_email
from integration.mautic import shown
from integration.mautic.answers import SERVICE, message_of, refusal, rejected
from integration.mautic.batches import RowAnswer
from integration.mautic.repairs import SHORT, Job, survives, told_limit
from integration.mautic.search import email_of
from integration.plans import Adjustment

#: The code of a row that lacks a value which Mautic demands.
REQUIRED = "required_field"
_ALIAS = re.compile(r"[a-z][a-z0-9_]*")
DEDUPLICATE = "Merge them in Mautic: run bin/console mautic:contacts:deduplicate, then sync the record again."


def unsendable(job: Job) -> Rejected | None:
    """Return why a row must not be sent: without an address each post makes an empty contact (mautic:028,
    mautic:149).
    """
    if not job.email:
        if job.mautic_id is not None:
            return None
        return Rejected(SERVICE, "no_email", "The record has no e-mail address.", "Enter one in the store.")
    if survives(job.email):
        return None
    return Rejected(
        SERVICE,
        "email_refused",
        f"Mautic cannot hold the e-mail address {job.email}: it drops some of its characters.",
        "Correct the address in the store.",
        details={"email": ["Mautic drops characters of it."]},
    )


def answer_lost(error: ServiceError) -> bool:
    """Tell whether Mautic may have carried out a request, or still be at it, although no answer of its own came."""
    if isinstance(error, Unreachable):
        return error.sent
    return isinstance(error, ServerFault) and error.status in GAVE_UP


def may_be_a_row(error: ServiceError) -> bool:
    """Tell whether one row of a batch may be what made the whole fail.

    Mautic may have crashed on it (mautic:148, mautic:151, mautic:166), or a firewall's rule may have stopped it.
    """
    if isinstance(error, NotSetUp):
        return error.code == "firewall"
    return isinstance(error, ServerFault | Rejected)


def blocked(error: NotSetUp) -> Rejected:
    """Return the error of the one row that a firewall's content rule refuses while others pass (dossier M32)."""
    return Rejected(
        SERVICE,
        "firewall",
        "A firewall in front of Mautic refused this record for its content.",
        "Exempt /api/* from its rules, or correct the record.",
        status=error.status,
        excerpt=error.excerpt,
    )


def of_the_server(error: ServiceError) -> ServiceError:
    """Return the error for rows that were not tried any more because several others had failed in the same way."""
    if isinstance(error, ServerFault | Unreachable):
        return error
    sentence = "Mautic refused several records one after another, so this one was not tried."
    return ServerFault(SERVICE, "server_fault", sentence, "It is tried again by itself.", status=error.status)


def of_a_row(job: Job, answer: RowAnswer) -> ServiceError:
    """Return the error of one row by its status code."""
    details = answer.problem.details
    if answer.status == 0:
        sentence = "Mautic's answer says nothing of this record."
        return ServerFault(SERVICE, "no_result", sentence, "It is tried again by itself.")
    if answer.status == 422 and "email" in details:
        return _duplicate(job, answer)
    error = refusal(answer.status, answer.problem, path="contacts", row=True)
    if isinstance(error, Rejected) and "email" in details:
        return _refused_email(job, error, answer)
    wanted = job.unsent(details) if answer.status == 400 else ()
    return _required(wanted, error, answer) if wanted and all(map(_ALIAS.fullmatch, wanted)) else error


def _required(wanted: tuple[str, ...], error: ServiceError, answer: RowAnswer) -> Rejected:
    """Return the error of a row that lacks what Mautic demands: nothing that the row says is at fault."""
    names = ", ".join(f"“{alias}”" for alias in wanted)
    return rejected(REQUIRED, answer.status, answer.problem, error.excerpt, fields=names)


def _refused_email(job: Job, error: Rejected, answer: RowAnswer) -> Rejected:
    """Return the error of a refused address; beyond 64 characters its length is the likely cause (mautic:036,
    mautic:066).
    """
    code, sentence, hint = "email_refused", error.sentence, "Correct the address in the store."
    if len(job.email) > SHORT:
        code = "email_too_long"
        sentence = f"The e-mail address has {len(job.email)} characters, and Mautic refused it."
        hint = "Raise the limit of the field Email in Mautic, then send the record again."
    return Rejected(SERVICE, code, sentence, hint, status=answer.status, details=answer.problem.details)


def limits_of(error: ServiceError, job: Job) -> dict[str, int]:
    """Return the length of an address that Mautic holds by a refusal; where none is told it is less than the given."""
    if not isinstance(error, Rejected) or error.code != "email_too_long":
        return {}
    message = message_of(error.details.get("email", ""))
    return {"email": told_limit(message, job.email) or len(job.email) - 1}


def _duplicate(job: Job, answer: RowAnswer) -> Rejected:
    ids = ", ".join(str(number) for number in sorted(job.twins))
    which = f" ({ids})" if len(job.twins) > 1 else ""
    sentence = f"Several contacts in Mautic have this e-mail address{which}, so Mautic refuses each change of them."
    details = {**answer.problem.details, "ids": sorted(job.twins)}
    return Rejected(SERVICE, "duplicate_in_mautic", sentence, DEDUPLICATE, status=422, details=details)


def taken_by_nobody(job: Job) -> Rejected:
    """Return the error of a row that was refused for its address although a search finds nobody who has it."""
    ours = f" besides contact {job.mautic_id}" if job.mautic_id is not None else ""
    sentence = f"Mautic says that another contact{ours} has this e-mail address, but its search shows none."
    hint = "Look for the address in Mautic, also among anonymous contacts, and sync the record again."
    return Rejected(SERVICE, "not_unique", sentence, hint, status=422, details={"ids": job.ids_known()})


def nobody(job: Job) -> Rejected:
    """Return the error of a row without an address whose contact is gone or another person's by now."""
    sentence = f"Contact {job.mautic_id} is no longer this person's in Mautic, and there is no address to find another."
    return Rejected(SERVICE, "not_found", sentence, "Sync the person's record again.", status=404)


def mismatch(job: Job, item: dict[str, Any], version: str) -> ServiceError | None:
    """Return an error when the contact written is not the one that was meant (rows shift: 155-159, 365).

    Mautic 4 merges where later versions refuse, so there another id with the right address is right (dossier 4.1.4).
    """
    number = item.get("id")
    if not isinstance(number, int):
        sentence = "Mautic's answer does not say which contact was written."
        return ServerFault(SERVICE, "no_result", sentence, "It is tried again by itself.")
    address = email_of(item)
    same_address = not job.sends_email or normalise_email(address) == normalise_email(job.email)
    same_id = job.mautic_id in (None, number)
    if same_address and (same_id or version.startswith(("2.", "3.", "4."))):
        return None
    return Rejected(
        SERVICE,
        "mismatch",
        f"Mautic wrote this record to the contact {number} with the address {address or 'none'}.",
        "Look at that contact in Mautic, and sync the record again.",
        status=200,
    )


def kept_dates(job: Job) -> tuple[Adjustment, ...]:
    """Return what to tell of the dates that Mautic keeps although the row emptied them (mautic:465, mautic:566)."""
    return tuple(
        Adjustment(alias, "left_out", f"Mautic did not empty the date “{alias}”, so the old one stays there.")
        for alias in shown.kept(job.fields, job.answered)
    )


def twin_note(job: Job) -> tuple[Adjustment, ...]:
    """Return what to tell when one of several contacts with the same address could be written."""
    if len(job.twins) < 2:
        return ()
    ids = ", ".join(str(number) for number in sorted(job.twins))
    sentence = f"Mautic has several contacts with this e-mail address ({ids}); contact {job.mautic_id} was updated."
    return (Adjustment("email", "changed", sentence),)
