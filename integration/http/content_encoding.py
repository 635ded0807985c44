"""Undoes what packs a body: told by its first bytes, for servers, caches and plugins forget or invent the header."""

from __future__ import annotations

import zlib

from integration.http.errors import TooLarge

#: What is asked for, since nothing else is undone here.
ACCEPTED = "gzip, deflate"
_GZIP = b"\x1f\x8b\x08"
#: A server and a plugin that both pack have been seen; nobody packs more often.
_LAYERS_MAX = 3


class CutShort(Exception):
    """The packed body ends before its end."""


def unpacked(body: bytes, encoding: str, largest: int) -> bytes:
    """Return the body as it was before it was packed; `encoding` is what Content-Encoding says, "" for nothing.

    A body that is plain although the header says otherwise is returned as it is. Raises TooLarge for one that would
    grow beyond `largest` bytes, and CutShort.
    """
    for _ in range(_LAYERS_MAX):
        window = _window(body, encoding)
        if window is None:
            return body
        inner = _inflated(body, window, largest)
        if inner is None:
            return body
        body, encoding = inner, ""
    return body


def _window(body: bytes, encoding: str) -> int | None:
    """Return zlib's word for how the body is packed, None for a plain one."""
    if body.startswith(_GZIP):
        return 16 + zlib.MAX_WBITS
    # zlib's two bytes are a multiple of 31, and no JSON or page begins with the letter x.
    if len(body) > 2 and body[0] == 0x78 and (body[0] * 256 + body[1]) % 31 == 0:
        return zlib.MAX_WBITS
    return -zlib.MAX_WBITS if "deflate" in encoding.lower() and body else None


def _inflated(body: bytes, window: int, largest: int) -> bytes | None:
    """Return the inner bytes, None when the body is not packed that way after all; gzip may have several members."""
    parts: list[bytes] = []
    size = 0
    while body:
        machine = zlib.decompressobj(window)
        try:
            part = machine.decompress(body, largest - size + 1)
        except zlib.error:
            return b"".join(parts) if parts else None
        size += len(part)
        if size > largest:
            raise TooLarge("answer too large")
        if not machine.eof and window < 0:
            return None
        if not machine.eof:
            raise CutShort("the packed body ended early")
        parts.append(part)
        body = machine.unused_data
    return b"".join(parts)
