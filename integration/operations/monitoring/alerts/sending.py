"""Sends what waits in the outbox: whoever moves a message's due time on sends it, so no two processes do."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from integration.errors import IntegrationError
from integration.models.alert import Alert, AlertGroup, AlertNotice
from integration.models.connector import Connector
from integration.models.sql import swapped
from integration.operations.monitoring.alerts import backlog, groups, hook, mail, notices, wording
from integration.operations.monitoring.alerts.undelivered import Undelivered
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services

#: Waits before the next try; after the last one the message is given up.
BACKOFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
#: So long nobody else tries a message that is being sent.
LEASE = timedelta(minutes=5)
AT_ONCE = 50
THREADS_MAX = 8


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is sent: the row, whom it goes to and what it is about."""

    notice: AlertNotice
    group: AlertGroup
    body: str
    alert: Alert | None = None
    connector: Connector | None = None


def send(services: Services) -> int:
    """Send what is due and return how many messages were delivered.

    E-mails go one after another over the installation's own server; each group's webhook is called beside the others,
    for one that is slow must not keep them waiting.
    """
    with services.db.read() as session:
        due = session.scalars(_due(services.clock.now())).all()
    queues: dict[object, list[AlertNotice]] = {}
    for row in due:
        queues.setdefault(row.way if row.way == groups.EMAIL else row.alert_group_id, []).append(row)
    if len(queues) < 2:
        return sum(_send_queue(services, queue) for queue in queues.values())
    with ThreadPoolExecutor(min(len(queues), THREADS_MAX), thread_name_prefix="alert") as pool:
        return sum(pool.map(partial(_send_queue, services), queues.values()))


def _send_queue(services: Services, due: Sequence[AlertNotice]) -> int:
    sent = 0
    closed: set[object] = set()
    for row in due:
        mine = (row.way, row.alert_group_id)
        if row.way in closed or mine in closed or not _claim(services, row):
            continue
        try:
            _settle(services, row, _deliver(services, row.id))
            sent += 1
        except IntegrationError as error:
            _fail(services, row, error)
            everybody = isinstance(error, Undelivered) and error.everybody
            closed.add(row.way if everybody else mine)
    return sent


def _due(now: datetime):  # type: ignore[no-untyped-def]  # a Select whose type names nothing a reader needs
    """News of an end waits until the news of the beginning has been sent or given up."""
    earlier = aliased(AlertNotice)
    blocked = exists().where(
        earlier.alert_id == AlertNotice.alert_id,
        earlier.alert_group_id == AlertNotice.alert_group_id,
        earlier.way == AlertNotice.way,
        earlier.id < AlertNotice.id,
        earlier.sent_at.is_(None),
        earlier.given_up_at.is_(None),
    )
    open_ = (AlertNotice.sent_at.is_(None), AlertNotice.given_up_at.is_(None), AlertNotice.due_at <= now)
    return select(AlertNotice).where(*open_, ~blocked).order_by(AlertNotice.due_at, AlertNotice.id).limit(AT_ONCE)


def _claim(services: Services, row: AlertNotice) -> bool:
    """Move the due time on; True for the one process that did, and that may send."""
    mine = (AlertNotice.id == row.id, AlertNotice.due_at == row.due_at, AlertNotice.sent_at.is_(None))
    values = {"due_at": services.clock.now() + LEASE, "attempts": AlertNotice.attempts + 1}
    with services.db.write() as session:
        moved = swapped(session, update(AlertNotice).where(*mine, AlertNotice.given_up_at.is_(None)).values(values))
        return bool(moved)


def _deliver(services: Services, notice_id: int) -> tuple[str, str]:
    """Send a claimed message and return its body as sent, and what to know of it; raises IntegrationError."""
    with services.db.read() as session:
        letter = _letter(session, notice_id)
    return deliver(services, letter)


def deliver(services: Services, letter: Letter) -> tuple[str, str]:
    """Send a message by its way and return its body as sent, and what to know of it; raises IntegrationError."""
    if letter.notice.way == groups.WEBHOOK:
        return _post(services, letter), ""
    return _mail(services, letter)


def _letter(session: Session, notice_id: int) -> Letter:
    row = session.get(AlertNotice, notice_id)
    group = session.get(AlertGroup, row.alert_group_id) if row is not None else None
    if row is None or group is None or row.way not in groups.ways(group):
        raise Undelivered("The group has no such recipient any more.", "Nothing needs to be done.")
    alert = session.get(Alert, row.alert_id) if row.alert_id else None
    connector = session.get(Connector, alert.connector_id) if alert is not None else None
    return Letter(row, group, _body(session, row, alert), alert, connector)


def _body(session: Session, row: AlertNotice, alert: Alert | None) -> str:
    """Return the text; that of an end says what was caught up until now."""
    if alert is None or row.what != notices.RECOVERED:
        return row.body
    said = wording.caught_up(*backlog.after(session, alert))
    head, gap, links = row.body.partition("\n\n")
    return f"{head}\n{said}{gap}{links}" if said and said not in row.body else row.body


def _post(services: Services, letter: Letter) -> str:
    values = hook.payload(services, letter.notice, letter.body, letter.alert, letter.connector)
    hook.post(services, groups.webhook_of(services.vault, letter.group), values)
    return letter.body


def _mail(services: Services, letter: Letter) -> tuple[str, str]:
    row = letter.notice
    about = f"alert-{row.alert_id}-{row.alert_group_id}"
    message = mail.compose(
        services.deployment,
        [str(one) for one in letter.group.emails],
        row.subject,
        letter.body,
        at=services.clock.now(),
        name=f"{about}-{row.what}" if row.alert_id else f"notice-{row.id or new_token()}-{row.what}",
        answers=f"{about}-{notices.RAISED}" if row.what == notices.RECOVERED else "",
    )
    return letter.body, mail.send(services.deployment, message)


def _settle(services: Services, row: AlertNotice, outcome: tuple[str, str]) -> None:
    body, remark = outcome
    with services.db.write() as session:
        values = {"sent_at": services.clock.now(), "body": body, "error": remark}
        session.execute(update(AlertNotice).where(AlertNotice.id == row.id).values(values))


def _fail(services: Services, row: AlertNotice, error: IntegrationError) -> None:
    """Keep the reason, and try again later or give up."""
    now, tried = services.clock.now(), row.attempts + 1
    over = tried > len(BACKOFF)
    values = {"given_up_at": now} if over else {"due_at": now + BACKOFF[tried - 1]}
    with services.db.write() as session:
        statement = update(AlertNotice).where(AlertNotice.id == row.id)
        session.execute(statement.values(error=str(error), **values))
