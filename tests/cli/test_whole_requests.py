"""When the bytes of a request are a whole one, whatever their order of arrival."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from integration.cli.whole_requests import HEAD_MAX_BYTES, Incoming, TooMuch

PLAIN = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SIZED = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0\r\n\r\n01234\r\n0\r\n\r\n"
TRAILED = b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\nX-A: b\r\n\r\n"


@given(st.sampled_from([PLAIN, SIZED, CHUNKED, TRAILED]), st.lists(st.integers(1, 40), max_size=20))
def test_a_request_is_whole_with_its_last_byte_and_not_before(request: bytes, cuts: list[int]) -> None:
    incoming, at = Incoming(), 0
    for size in [*cuts, len(request)]:
        piece = request[at : min(at + size, len(request) - 1)]
        at += len(piece)
        incoming.data += piece
        assert not incoming.is_whole()
    incoming.data += request[at:]
    assert incoming.is_whole()


def test_what_follows_a_request_does_no_harm() -> None:
    for request in (PLAIN, SIZED, CHUNKED):
        assert Incoming(bytearray(request + PLAIN[:10])).is_whole()


@pytest.mark.parametrize("size", [b"ZZ", b"", b"-1", b"0x"])
def test_a_broken_chunk_is_left_to_the_parser(size: bytes) -> None:
    assert Incoming(bytearray(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n")).is_whole()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nA: " + b"x" * HEAD_MAX_BYTES,
        b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
    ],
)
def test_too_much_is_refused_before_it_has_come(data: bytes) -> None:
    with pytest.raises(TooMuch):
        Incoming(bytearray(data)).is_whole()


def test_a_client_that_asks_first_is_seen() -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    incoming = Incoming(bytearray(head))
    assert not incoming.is_whole()
    assert incoming.wants_to_go_on()
    incoming.data += b"h"
    assert not incoming.wants_to_go_on()
