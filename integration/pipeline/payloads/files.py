"""Payload files of a run: what the store answered and what was sent to Mautic, masked, for a day (C7)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, delete, func, select

from integration.masking import mask_value
from integration.models.connector import Connector
from integration.models.organisation import Organisation
from integration.models.payload_file import PayloadFile
from integration.models.run import Run, RunLine
from integration.pipeline.services import Services

FILE_MAX_BYTES = 5 * 1024 * 1024
RUN_MAX_BYTES = 500 * 1024 * 1024
FILES_KEPT_FOR = timedelta(hours=24)
#: Files that are deleted in one transaction.
DELETE_BATCH_FILES = 500


def store(services: Services, run: Run, direction: str, title: str, content: Any) -> int | None:
    """Write a masked file and a line of the run's log that links it; return its id, None when the run has no room.

    `direction` is pull or push. Never called within a transaction: it writes to the disk. A disk that refuses it is
    said in the log of the run, which goes on.
    """
    body = json.dumps(mask_value(content), ensure_ascii=False, indent=1, default=str).encode("utf-8", "replace")
    with services.db.read() as session:
        used = session.scalar(select(func.coalesce(func.sum(PayloadFile.size), 0)).where(PayloadFile.run_id == run.id))
        number = (session.scalar(select(func.max(PayloadFile.id))) or 0) + 1
    if len(body) > FILE_MAX_BYTES or int(used or 0) + len(body) > RUN_MAX_BYTES:
        _warn(services, run.id, f"{title}: the payload of {len(body):,} bytes was not kept, it is too large.")
        return None
    name = f"{run.id}/{direction}-{number:06d}-{os.urandom(4).hex()}.json"
    try:
        _write(folder(services) / name, body)
    except OSError as error:
        _warn(
            services,
            run.id,
            f"{title}: the payload was not kept: {error.strerror}. Look at the instance folder's disk.",
        )
        return None
    now = services.clock.now()
    with services.db.write() as session:
        made = PayloadFile(
            run_id=run.id,
            connector_id=run.connector_id,
            direction=direction,
            name=name,
            size=len(body),
            created_at=now,
        )
        session.add(made)
        session.flush()
        session.add(
            RunLine(run_id=run.id, at=now, level="info", text=f"{title}: payload kept.", payload_file_id=made.id)
        )
    return made.id


def folder(services: Services) -> Path:
    """Return where the files lie."""
    return services.deployment.instance_path / "payloads"


def path_of(services: Services, file: PayloadFile) -> Path | None:
    """Return the file on the disk, None when it is there no more."""
    path = folder(services) / file.name
    return path if path.is_file() else None


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)


def _warn(services: Services, run_id: int, text: str) -> None:
    with services.db.write() as session:
        session.add(RunLine(run_id=run_id, at=services.clock.now(), level="warning", text=text))


def prune(
    services: Services, now: datetime, kept: Callable[[Organisation], timedelta] = lambda organisation: FILES_KEPT_FOR
) -> int:
    """Delete the files of runs that ended longer ago than their organisation keeps them; return how many went."""
    with services.db.read() as session:
        owners = session.scalars(select(Organisation)).all()
    gone = sum(_prune_of(services, owner.id, now - kept(owner)) for owner in owners)
    remove_folders(services)
    return gone


def _prune_of(services: Services, organisation_id: int, before: datetime) -> int:
    query = (
        select(PayloadFile)
        .join(Run, Run.id == PayloadFile.run_id)
        .join(Connector, Connector.id == PayloadFile.connector_id)
        .where(Connector.organisation_id == organisation_id, Run.ended_at < before)
        .limit(DELETE_BATCH_FILES)
    )
    gone = 0
    while files := _read(services, query):
        for file in files:
            (folder(services) / file.name).unlink(missing_ok=True)
        with services.db.write() as session:
            session.execute(delete(PayloadFile).where(PayloadFile.id.in_([file.id for file in files])))
        gone += len(files)
    return gone


def _read(services: Services, query: Select[tuple[PayloadFile]]) -> Sequence[PayloadFile]:
    with services.db.read() as session:
        return session.scalars(query).all()


def remove_folders(services: Services) -> None:
    """Remove the folders of runs that have no row any more, such as those of a deleted connector."""
    home = folder(services)
    if not home.is_dir():
        return
    with services.db.read() as session:
        known = {str(key) for key in session.scalars(select(PayloadFile.run_id).distinct())}
    for each in home.iterdir():
        if each.is_dir() and each.name not in known:
            shutil.rmtree(each, ignore_errors=True)
