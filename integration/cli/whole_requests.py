"""What has come of a request so far: whether it is whole, so that a thread never waits for a client to go on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from integration.web.frame.security import LARGEST_BODY

HEAD_MAX_BYTES = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding[ \t]*:.*chunked[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_EXPECTS = re.compile(rb"^expect[ \t]*:[ \t]*100-continue[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class TooMuch(Exception):
    """The head or the body is larger than any that is taken; `status` is HTTP's line for it."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Incoming:
    """The bytes of one request as they come.

    Whatever breaks the rules of HTTP counts as whole: the parser refuses it then.
    """

    data: bytearray = field(default_factory=bytearray)
    _body: int = 0
    _at: int = 0
    _rest: int | None = None

    def is_whole(self) -> bool:
        """Return whether head and body are complete; raises TooMuch."""
        if not self._body and not self._find_body():
            return False
        if self._rest is not None:
            return len(self.data) - self._body >= self._rest
        return self._are_chunks_whole()

    def wants_to_go_on(self) -> bool:
        """Return whether the head is here and the client waits to be told to send the body."""
        return bool(self._body and len(self.data) == self._body and _EXPECTS.search(self.data, 0, self._body))

    def _find_body(self) -> bool:
        end = self.data.find(_END_OF_HEAD, 0, HEAD_MAX_BYTES + len(_END_OF_HEAD))
        if end < 0:
            if len(self.data) > HEAD_MAX_BYTES:
                raise TooMuch("431 Request Header Fields Too Large")
            return False
        self._body = self._at = end + len(_END_OF_HEAD)
        if not _CHUNKED.search(self.data, 0, self._body):
            length = _LENGTH.search(self.data, 0, self._body)
            self._rest = int(length[1]) if length else 0
            self._check_size(self._rest)
        return True

    def _are_chunks_whole(self) -> bool:
        """Walk over the chunks that are here, from where the last walk ended."""
        while (end := self.data.find(b"\r\n", self._at)) >= 0:
            try:
                size = int(bytes(self.data[self._at : end]).partition(b";")[0], 16)
            except ValueError:
                return True
            if size <= 0:
                # Trailers may follow; the end is an empty line.
                return self.data.find(_END_OF_HEAD, end) >= 0 or size < 0
            self._check_size(end + size - self._body)
            if len(self.data) < end + 2 + size + 2:
                return False
            self._at = end + 2 + size + 2
        self._check_size(len(self.data) - self._body)
        return len(self.data) - self._at > HEAD_MAX_BYTES

    def _check_size(self, size: int) -> None:
        # One byte more than the application takes, so that it is the application that says so where it is close.
        if size > LARGEST_BODY + HEAD_MAX_BYTES:
            raise TooMuch("413 Content Too Large")
