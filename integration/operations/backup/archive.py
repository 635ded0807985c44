"""The file of a backup: a ZIP with manifest.json, which says what it is, and the database."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from integration.errors import SettingError

NAME = "FILE"
FORMAT: Literal[1] = 1
_MANIFEST = "manifest.json"
_DATABASE = "database"
#: A manifest has a line for each table; more than this is something else.
_MANIFEST_MAX_BYTES = 1_000_000
#: All that zipfile lets through of a file with a bit that was turned over somewhere.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError,
    OverflowError,
)  # fmt: skip
_DAMAGED = "Take another backup: this one was cut off or altered."


class Manifest(BaseModel):
    """What a backup says of itself.

    `database` is sqlite or postgresql, `schema_revision` Alembic's, `keys` the fingerprints of SECRET_KEY and of each
    SECRET_KEY_OLD that it was made under, `rows` the number of rows by table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    made_at: AwareDatetime
    database: Literal["sqlite", "postgresql"]
    schema_revision: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    address: str
    rows: Mapping[str, int]


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """Give the name to write to, for its owner only; it becomes `file` at the end, and goes where an error came.

    Raises SettingError (FILE) where `file` is there already or its folder cannot be written.
    """
    if file.exists():
        raise SettingError(NAME, f"{file} is there already.", "Choose another name: a backup replaces no other.")
    part = file.with_name(f".{file.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        yield part
        part.rename(file)
    except OSError as error:
        raise SettingError(
            NAME,
            f"{file} cannot be written: {error.strerror or error}.",
            "Choose a folder that has room.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def pack(part: Path, manifest: Manifest, database: Path, *, packed: bool) -> None:
    """Write the ZIP; what is `packed` already is not compressed again."""
    kind = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(part, "w", kind, compresslevel=None if packed else 3) as made:
        made.writestr(_MANIFEST, manifest.model_dump_json(indent=1))
        made.write(database, _DATABASE)
    with part.open("rb") as written_file:
        os.fsync(written_file.fileno())


def read_manifest(file: Path) -> Manifest:
    """Return what a backup says of itself; raises SettingError (FILE) for a file that is none."""
    try:
        with zipfile.ZipFile(file) as opened:
            if opened.getinfo(_MANIFEST).file_size > _MANIFEST_MAX_BYTES:
                raise _none(file)
            text = opened.read(_MANIFEST)
            opened.getinfo(_DATABASE)
    except OSError as error:
        raise SettingError(NAME, f"{file} cannot be read: {error.strerror}.", "Choose another file.") from error
    except _BROKEN as error:
        raise _none(file) from error
    return _manifest(file, text)


def _manifest(file: Path, text: bytes) -> Manifest:
    try:
        told: Any = json.loads(text)
        if isinstance(told, dict) and isinstance(told.get("format"), int) and told["format"] > FORMAT:
            raise SettingError(
                NAME, f"{file} was made by a newer version of woo-mautic.", "Restore it with that version."
            )
        return Manifest.model_validate(told)
    except (ValueError, ValidationError) as error:
        raise _none(file) from error


def unpack(file: Path, to: Path) -> None:
    """Write the database of a backup to a new file of its owner's; raises SettingError (FILE) where it is damaged."""
    try:
        with zipfile.ZipFile(file) as opened, opened.open(_DATABASE) as source:
            handle = os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as target:
                shutil.copyfileobj(source, target, 1024 * 1024)
    except _BROKEN as error:
        raise damaged(file) from error
    except OSError as error:
        raise SettingError(
            NAME, f"{file} cannot be unpacked to {to}: {error.strerror or error}.", "Look at the disk."
        ) from error


def damaged(file: Path) -> SettingError:
    """Return what to say of a backup whose content is not what was backed up."""
    return SettingError(NAME, f"{file} is damaged.", _DAMAGED)


def _none(file: Path) -> SettingError:
    return SettingError(NAME, f"{file} is no backup of woo-mautic, or it is damaged.", _DAMAGED)


def name_at(moment: datetime) -> str:
    """Return the name of a backup that is made at a moment (UTC)."""
    return f"woo-mautic-{moment:%Y%m%dT%H%M%SZ}.zip"
