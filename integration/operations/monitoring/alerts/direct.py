"""Tells of a full disk without the book of alerts, which is on it: nothing is written, what was told is in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.alert import AlertGroup
from integration.models.connector import Connector
from integration.operations.monitoring.alerts import groups, notices, sending, silence, wording
from integration.operations.monitoring.alerts.sending import Letter
from integration.operations.monitoring.alerts.wording import PRODUCT, Message
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

CAUSE = "disk_full"
#: A process tells at most so often, and where nobody could be reached tries again so soon.
TOLD_EVERY, AGAIN_AFTER = timedelta(hours=1), timedelta(minutes=5)


def tell(services: Services, error: Exception) -> int:
    """Tell every group that wants to know of a disk that refuses what the book of alerts writes.

    Returns how many messages were delivered. Raises the error when it is not the disk's.
    """
    disk, now = services.disk, services.clock.now()
    if not disk.met(error):
        raise error
    if disk.told_at is not None and now - disk.told_at < TOLD_EVERY:
        return 0
    fault = disk.look()
    told = _send(services, notices.RAISED, _raised(services, fault)) if fault is not None else 0
    disk.told_at = now if told else now - TOLD_EVERY + AGAIN_AFTER
    disk.owes_end = disk.owes_end or told > 0
    return told


def tell_end(services: Services) -> int:
    """Tell whoever was told in this way that there is room again, and return how many messages were delivered."""
    if not services.disk.owes_end or services.disk.look() is not None:
        return 0
    services.disk.owes_end = False
    body = f"{wording.well(CAUSE)} What waited is saved and sent now.\n\n{wording.address(services, 'storage')}"
    return _send(services, notices.RECOVERED, Message(f"[{PRODUCT}] {wording.well(CAUSE).rstrip('.')}", body))


def _raised(services: Services, fault: IntegrationError) -> Message:
    return Message(f"[{PRODUCT}] {fault.sentence.rstrip('.')}", f"{fault}\n\n{wording.address(services, 'storage')}")


def _send(services: Services, what: str, message: Message) -> int:
    """Send a message to all groups at once, so that one that is slow keeps no other waiting."""
    with services.db.read() as session:
        letters = list(_letters(services, session, what, message))
    if not letters:
        return 0
    with ThreadPoolExecutor(min(len(letters), sending.THREADS_MAX), thread_name_prefix="alert") as pool:
        return sum(pool.map(partial(_delivered, services), letters))


def _letters(services: Services, session: Session, what: str, message: Message) -> Iterator[Letter]:
    now = services.clock.now()
    for group in session.scalars(select(AlertGroup).order_by(AlertGroup.id)).all():
        if any(_is_told(services, session, group, each) for each in _connectors(session, group)):
            for way in groups.ways(group):
                yield Letter(notices.notice(now, group.id, way, what, message), group, message.body)


def _connectors(session: Session, group: AlertGroup) -> Sequence[Connector]:
    return session.scalars(select(Connector).where(Connector.organisation_id == group.organisation_id)).all()


def _is_told(services: Services, session: Session, group: AlertGroup, connector: Connector) -> bool:
    quiet = silence.silent(session, services.clock.now(), connector.id)
    return groups.wants(group, connector.id, CAUSE) and not quiet & {CAUSE, silence.EVERY}


def _delivered(services: Services, letter: Letter) -> bool:
    try:
        sending.deliver(services, letter)
    except IntegrationError as error:
        log.warning("Group %d could not be told of the disk by %s: %s", letter.group.id, letter.notice.way, error)
        return False
    return True
