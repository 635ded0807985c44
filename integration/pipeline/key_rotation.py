"""Everything sealed with an old SECRET_KEY is sealed anew with the present one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.alert import AlertGroup
from integration.models.connector import Connector
from integration.models.erasure import Erasure
from integration.models.installation import Installation
from integration.models.vault import Vault
from integration.pipeline.audited import Audit, Diff, unaudited
from integration.pipeline.services import Services

#: What is sealed: its name for people, the column, and the column that tells which one it is.
SEALED: tuple[tuple[str, Any, Any], ...] = (
    ("credentials of connector", Connector.secrets, Connector.name),
    ("Mautic's token of connector", Connector.mautic_token, Connector.name),
    ("webhook of alert group", AlertGroup.webhook, AlertGroup.id),
    ("person of erasure", Erasure.traces, Erasure.id),
    ("check of the key", Installation.key_check, Installation.id),
)
_SHOWN_MAX = 10


def rotate(services: Services, *, audit: Audit[Diff] = unaudited) -> dict[str, int]:
    """Seal everything with SECRET_KEY and return the kind -> how many texts were sealed anew.

    Each kind is a transaction, and what is done is passed by, so it goes on where it was stopped. Raises SettingError
    naming what no key reads, after the rest is done.
    """
    done: dict[str, int] = {}
    unreadable: list[str] = []
    for kind, column, name in SEALED:
        with services.db.write() as session:
            number, failed = _rotate(session, services.vault, column, name)
            if number:
                audit(session, {f"{kind}, encrypted anew": [0, number]})
        done[kind] = number
        unreadable += [f"{kind} “{each}”" for each in failed]
    if unreadable:
        raise _unreadable(unreadable)
    return done


def _rotate(session: Session, vault: Vault, column: Any, name: Any) -> tuple[int, list[str]]:
    model = column.class_
    number, failed = 0, []
    for row_id, title, sealed in session.execute(select(model.id, name, column).order_by(model.id)).all():
        if not sealed or vault.is_newest(sealed):
            continue
        if not vault.opens(sealed):
            failed.append(str(title))
            continue
        # What somebody else has sealed meanwhile stays theirs.
        anew = update(model).where(model.id == row_id, column == sealed).values({column: vault.renewed(sealed)})
        session.execute(anew)
        number += 1
    return number, failed


def _unreadable(names: list[str]) -> SettingError:
    more = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    sentence = f"Neither SECRET_KEY nor a key of SECRET_KEY_OLD reads: {', '.join(names[:_SHOWN_MAX])}{more}."
    hint = "Add the key they were encrypted with to SECRET_KEY_OLD and run this again, or enter the credentials again."
    return SettingError("SECRET_KEY_OLD", sentence, hint)
