"""The application's own log: JSON lines for machines with a sentence for people, masked, in rotating files."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integration.config import Deployment
from integration.masking import mask_text
from integration.models.disk_faults import fault_of
from integration.operations.support.line_files import FILE_SIZE, FILES, LineFile, LinePage, LogLineQuery

#: Libraries that tell at INFO what only a developer of theirs wants to know.
_TALKATIVE = ("apscheduler", "urllib3", "requests_oauthlib", "oauthlib", "procrastinate", "alembic")


class MaskingFilter(logging.Filter):
    """Replaces secrets in a record's message before any handler formats it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the message in place and let the record pass."""
        record.msg, record.args = mask_text(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask_text(record.exc_text)
        return True


class LineHandler(logging.Handler):
    """Writes records to a rotating file: at (UTC), level, sentence, logger, action, connector, correlation."""

    def __init__(self, file: LineFile) -> None:
        super().__init__()
        self.file = file
        self.addFilter(MaskingFilter())

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record; a file that cannot be written must not stop the work.

        Of a full disk people are told by page, alert and command; anything else goes logging's own way.
        """
        try:
            self.file.append(log_line(record))
        except OSError as error:
            if fault_of(error) is None:
                self.handleError(record)


def log_line(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record as a line; `extra` may give action, connector (id) and correlation (id)."""
    line = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
        "level": record.levelname,
        "sentence": record.getMessage(),
        "logger": record.name,
        "action": getattr(record, "action", ""),
        "connector": getattr(record, "connector", None),
        "correlation": getattr(record, "correlation", ""),
    }
    return {**line, "trace": record.exc_text} if record.exc_text else line


def log_file(folder: Path) -> LineFile:
    """Return the application's log file in `instance/logs`."""
    return LineFile(folder / "app.log", files=FILES, size=FILE_SIZE)


def configure_logging(deployment: Deployment) -> LineHandler:
    """Send all logging to instance/logs/app.log at the deployment's level; calling it again replaces the handler."""
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, LineHandler)]:
        root.removeHandler(old)
        old.close()
    handler = LineHandler(log_file(deployment.instance_path / "logs"))
    root.addHandler(handler)
    root.setLevel(deployment.log_level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return handler


def is_configured() -> bool:
    """Return whether this process writes the application's log."""
    return any(isinstance(handler, LineHandler) for handler in logging.getLogger().handlers)


def read_log(deployment: Deployment, query: LogLineQuery) -> LinePage:
    """Return one page of the application's log, newest first; `query.values` filters by level, action or connector."""
    return log_file(deployment.instance_path / "logs").read(query)
