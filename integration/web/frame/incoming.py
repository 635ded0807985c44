"""What a request may look like before any view sees it: our host, ids that a database has, no character none holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.routing import IntegerConverter

from integration import heap
from integration.config import Deployment
from integration.url_filters import ID_MAX_DIGITS

#: Bodies of these kinds are read as forms.
_URL_ENCODED = "application/x-www-form-urlencoded"
_FORMS = (_URL_ENCODED, "multipart/form-data")
#: Their views read the raw bytes: a form read before them would leave nothing.
_RAW_BODIES = ("hooks",)
#: Machines call by whatever name the network has; nothing in their answers depends on it.
_MACHINES = ("health", "metrics", "hooks", "api", "inbound", "openapi")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OTHER_HOST = "This name is not one of this installation's. Set PUBLIC_URL to the address that is opened."
#: No field takes nearly as much; see the models for what each of them takes.
VALUE_MAX_CHARS = 100_000
#: No page has nearly as many; each field of a form takes many times its size.
FIELDS_MAX = 10_000
#: Bytes of a body from which on its memory is given back; webhooks are a hundredth of it.
LARGE_BODY = 1024 * 1024
_NUL = "\x00"


class Id(IntegerConverter):
    """An id in a path; one with more digits than any id matches no address, for SQLite fails when asked for it."""

    regex = rf"\d{{1,{ID_MAX_DIGITS}}}"


def refuse_odd_texts() -> None:
    """Answer 400 when path or form has a NUL, which PostgreSQL cannot hold, 413 for fields that nobody typed.

    Run before each request: a page would send such a field back with its form.
    Filters in the query leave it out by themselves.
    """
    texts = [request.path]
    if request.mimetype in _FORMS and request.blueprint not in _RAW_BODIES:
        # Flask limits the parts of the other kind of form by itself.
        if request.mimetype == _URL_ENCODED and request.get_data().count(b"&") >= FIELDS_MAX:
            abort(413, f"The form has more than {FIELDS_MAX:,} fields.")
        texts += _texts(request.form.items(multi=True))
    if any(_NUL in text for text in texts):
        abort(400)
    if any(len(text) > VALUE_MAX_CHARS for text in texts):
        abort(413, f"One field has more than {VALUE_MAX_CHARS:,} characters.")


def _texts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [text for pair in pairs for text in pair]


def known_hosts(deployment: Deployment) -> frozenset[str] | None:
    """Return the names under which people open the pages, None where they cannot be known.

    Whoever listens on a network without PUBLIC_URL may be called by any name of the machine.
    """
    named = urlsplit(deployment.public_url).hostname
    if not named and deployment.host not in _LOOPBACK:
        return None
    return frozenset(_LOOPBACK | {name.lower() for name in (named, deployment.host) if name})


def refuse_other_hosts(deployment: Deployment) -> Callable[[], ResponseReturnValue | None]:
    """Return the check that answers 400 to a page asked for under a name that is not ours (run before each request).

    Such a name comes from a proxy that is not set up, or from somebody who leads a browser here by a name of theirs.
    """
    known = known_hosts(deployment)

    def check() -> ResponseReturnValue | None:
        if known is None or request.blueprint in _MACHINES or _hostname() in known:
            return None
        return f"{_OTHER_HOST}\n", 400, {"Content-Type": "text/plain; charset=utf-8"}

    return check


def _hostname() -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def give_back_memory(_: BaseException | None) -> None:
    """Give the system what a large body took, when it is done with; what it was read into is many times as large."""
    if (request.content_length or 0) > LARGE_BODY:
        heap.give_back()


def init_app(app: Flask, deployment: Deployment) -> None:
    """Register the converter, which must come before the routes, and the checks."""
    app.url_map.converters["int"] = Id
    app.before_request(refuse_other_hosts(deployment))
    app.before_request(refuse_odd_texts)
    app.teardown_request(give_back_memory)
