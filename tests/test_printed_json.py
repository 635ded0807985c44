"""JSON with something printed around it is read, and what is cut is no answer."""

from __future__ import annotations

import json

import pytest

from integration.http.transport import Answer


@pytest.mark.parametrize(
    ("body", "clean"),
    [(b'{"a": 1}', True), (b'\xef\xbb\xbf{"a": 1}', False), (b'<br />\n<b>Warning</b>: x in y[1]\n{"a": 1}', False)],
)
def test_what_is_printed_before_the_json_is_passed_over(body: bytes, clean: bool) -> None:
    assert Answer(200, {}, body, 0.1, "").json() == ({"a": 1}, clean)


@pytest.mark.parametrize(
    "before", [b"", b"\xef\xbb\xbf", b"<br />\n<b>Warning</b>: x in y[1] on line <b>3</b><br />\n"]
)
@pytest.mark.parametrize(
    "behind",
    [
        b"\n<!-- cached {'a': [1]} -->",
        b'<!-- {"cached": [true]} -->\n',
        b'<br />\n<b>Warning</b>: Undefined array key "x" in /a/b.php on line <b>3</b><br />\n',
        b"<script>let a = 1;</script>",
        b"\nPHP Notice:  Undefined variable x in y.php on line 3",
        b"0",
        b"-1\n",
        b"null",
    ],
)
def test_what_is_printed_behind_the_json_is_passed_over(before: bytes, behind: bytes) -> None:
    for body in (b'{"a": 1}', b'[{"a": 1}, {"a": 2}]'):
        value, clean = Answer(200, {}, before + body + behind, 0.1, "").json()
        assert (value, clean) == (json.loads(body), False)


_MORE = [
    b'[{"a":1}][{"a":2}]',
    b'[]\n<br />\n<b>Warning</b>: x\n[{"a":1}]',
    b'{}<p>x</p>{"a":1}',
    b'{"a":1},{"b":2}]',
    b'{"a":1} and so on',
    b'<b>Warning</b>: x[1]</b> on line 3\n[{"a":1},{"b":2}',
    b'[{"a":1},{"b":2}<!-- cached -->',
]
_CUT = [*_MORE, b'[{"a":1},{"b":2}', b'<br />\n<b>Warning</b>: x[1]\n[{"a":1},{"b":2}', b"[" * 100_000]


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"a": ', b"nothing", *_CUT], ids=lambda body: body[:20])
def test_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Answer(200, {}, body, 0.1, "").json()
