"""What a request may look like before any view sees it: ids that a database has, and no character that none holds."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter

from integration.url_filters import ID_MAX_DIGITS

#: Bodies of these kinds are read as forms.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
#: Their views read the raw bytes: a form read before them would leave nothing.
_RAW_BODIES = ("hooks",)
_NUL = "\x00"


class Id(IntegerConverter):
    """An id in a path; one with more digits than any id matches no address, for SQLite fails when asked for it."""

    regex = rf"\d{{1,{ID_MAX_DIGITS}}}"


def refuse_nul() -> None:
    """Answer 400 when path or form has a NUL, which PostgreSQL cannot hold (run before each request).

    Filters in the query leave it out by themselves.
    """
    texts = [request.path]
    if request.mimetype in _FORMS and request.blueprint not in _RAW_BODIES:
        texts += _texts(request.form.items(multi=True))
    if any(_NUL in text for text in texts):
        abort(400)


def _texts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [text for pair in pairs for text in pair]


def init_app(app: Flask) -> None:
    """Register the converter, which must come before the routes, and the check."""
    app.url_map.converters["int"] = Id
    app.before_request(refuse_nul)
