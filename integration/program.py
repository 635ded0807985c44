"""Which program this is: what another version of it has found out may not be what this one would."""

from __future__ import annotations

import functools
import hashlib
import sys
from importlib import metadata
from pathlib import Path

_DIGEST_BYTES = 16


@functools.cache
def digest() -> str:
    """Return 32 hex digits over the program's own files, the versions of its libraries and Python's."""
    found = hashlib.blake2b(sys.version.encode(), digest_size=_DIGEST_BYTES)
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        found.update(str(path.relative_to(root)).encode())
        found.update(path.read_bytes())
    for name, version in sorted({(each.name, each.version) for each in metadata.distributions()}):
        found.update(f"{name} {version}\n".encode())
    return found.hexdigest()
