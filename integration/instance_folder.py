"""The instance folder: it and what lies in it, the secret key among it, is its owner's alone."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from integration.errors import SettingError


def kept_key(folder: Path) -> str:
    """Return the secret key kept in the instance folder, made on first use and readable by its owner only."""
    path = folder / "secret.key"
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read_key(path)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return _read_key(path)


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds something else"
        raise SettingError(
            "secret.key", f"The key file {path} cannot be read: {reason}.", "Put the right file back, from a backup."
        ) from error


def made(folder: Path) -> Path:
    """Return the instance folder, made if need be; it and all that is written from now on is its owner's alone."""
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)
    except OSError as error:
        raise SettingError(
            "INSTANCE_PATH",
            f"INSTANCE_PATH {folder} cannot be made: {error.strerror}.",
            "Choose a folder that can be written.",
        ) from error
    if not os.access(folder, os.W_OK):
        raise SettingError(
            "INSTANCE_PATH", f"INSTANCE_PATH {folder} cannot be written.", "Choose a folder that can be written."
        )
    return folder
