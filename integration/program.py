"""Which program this is: what another version of it has found out may not be what this one would."""

from __future__ import annotations

import functools
import hashlib
import sys
from importlib import metadata
from pathlib import Path

_DIGEST_BYTES = 16
#: What decides: the code, and the lists that it maps by (mapping/data).
_DECIDING = (".py", ".json")


@functools.cache
def digest() -> str:
    """Return 32 hex digits over the program's own files, the versions of its libraries and Python's.

    To be asked first when a process begins: its files may be replaced by those of another version while it runs.
    """
    found = hashlib.blake2b(sys.version.encode(), digest_size=_DIGEST_BYTES)
    found.update(of_files(Path(__file__).parent))
    for name, version in sorted({(each.name, each.version) for each in metadata.distributions()}):
        found.update(f"{name} {version}\n".encode())
    return found.hexdigest()


def of_files(root: Path) -> bytes:
    """Return a digest over the names and contents of the files below a folder that decide anything."""
    found = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for path in sorted(path for path in root.rglob("*") if path.suffix in _DECIDING):
        content = path.read_bytes()
        found.update(f"{path.relative_to(root)} {len(content)}\n".encode())
        found.update(content)
    return found.digest()
