"""Deletes what files tell of the person: whole payload files, lines of the debug files and of the application's log."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from integration.models.payload_file import PayloadFile
from integration.models.run import RunLine
from integration.operations.erasure.words import Words
from integration.operations.support import application_log
from integration.operations.support.debug_capture import Capture
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.services import Services

FILES_AT_ONCE = 50


def payloads(
    services: Services, connector_ids: Collection[int], words: Words, then: Callable[[Session, int], None]
) -> None:
    """Delete the payload files that tell of the person; `then` is called with their number in each transaction."""
    last = 0
    while files := _next(services, connector_ids, last):
        told = [file for file in files if _tells(services, file, words)]
        for file in told:
            (payload_files.folder(services) / file.name).unlink(missing_ok=True)
        ids = [file.id for file in told]
        if ids:
            with services.db.write() as session:
                lines = update(RunLine).where(RunLine.payload_file_id.in_(ids))
                session.execute(lines.values(payload_file_id=None).execution_options(synchronize_session=False))
                session.execute(delete(PayloadFile).where(PayloadFile.id.in_(ids)))
                then(session, len(ids))
        last = files[-1].id


def debug_lines(services: Services, connector_ids: Collection[int], words: Words) -> int:
    """Delete the exchanges of debug mode that tell of the person and return their number."""
    capture = Capture(services.deployment.instance_path / "logs", services.clock)
    return sum(capture.drop(number, words.are_in) for number in connector_ids)


def log_lines(services: Services, connector_ids: Collection[int], words: Words) -> int:
    """Delete the lines of the application's log that tell of the person, but those of others' connectors."""
    own = {None, *connector_ids}

    def unwanted(line: str) -> bool:
        return words.are_in(line) and _connector_of(line) in own

    return application_log.log_file(services.deployment.instance_path / "logs").drop(unwanted)


def _connector_of(line: str) -> int | None:
    try:
        found = json.loads(line).get("connector")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, int) else None


def _next(services: Services, connector_ids: Collection[int], last: int) -> Sequence[PayloadFile]:
    query = select(PayloadFile).where(PayloadFile.connector_id.in_(connector_ids), PayloadFile.id > last)
    with services.db.read() as session:
        return session.scalars(query.order_by(PayloadFile.id).limit(FILES_AT_ONCE)).all()


def _tells(services: Services, file: PayloadFile, words: Words) -> bool:
    path = payload_files.path_of(services, file)
    try:
        return path is not None and words.are_in(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False
