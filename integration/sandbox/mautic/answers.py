"""The answers of Mautic that are not data: errors in their two shapes, and JSON with its headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

GENERIC = (
    "Looks like I encountered an error (error #{}). If I do it again, please report me to the system administrator!"
)
OFFLINE = (
    "The site is currently offline due to encountering an error. If the problem persists, please contact the system "
    "administrator. System administrators, check server logs for errors."
)
NOT_FOUND = "Item was not found."
NO_CONTACT = "Contact not found."
NO_ACCESS = "You do not have access to the requested area/action."


class Refused(Exception):
    """A controller refused: {code, message, details} with Mautic-Version (mautic:030, mautic:075)."""

    def __init__(self, status: int, message: str, details: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or []

    def as_json(self) -> dict[str, Any]:
        """Return the one entry of errors[]."""
        return {"code": self.status, "message": self.message, "details": self.details}

    def as_row(self) -> dict[str, Any]:
        """Return the entry of a batch: with `type`, or in the short shape of an id that is missing (mautic:137,
        mautic:156).
        """
        if self.details or self.status in (403, 422):
            return {**self.as_json(), "type": None}
        return {"message": self.message, "code": self.status, "type": "api"}


class Invalid(Refused):
    """Values were refused; `details` maps a field to its messages (mautic:030, mautic:040, mautic:115)."""

    def __init__(self, details: Mapping[str, list[str]], status: int = 400) -> None:
        said = ", ".join(f"{name}: {', '.join(texts)}" for name, texts in details.items())
        super().__init__(status, said, dict(details))


class KernelError(Exception):
    """Mautic's kernel answers: {message, code, type} without Mautic-Version (mautic:001, mautic:061, mautic:048)."""

    def __init__(self, status: int, message: str | None = None, kind: str | None = None) -> None:
        self.status = status
        self.message = message if message is not None else GENERIC.format(status)
        self.kind = kind
        super().__init__(self.message)

    def as_json(self) -> dict[str, Any]:
        """Return the one entry of errors[]."""
        return {"message": self.message, "code": self.status, "type": self.kind}


class Crash(KernelError):
    """PHP threw: 500 for the whole request (mautic:048, mautic:148, mautic:151)."""

    def __init__(self) -> None:
        super().__init__(500)


class BasicRefused(KernelError):
    """Mautic 7 refuses a password with an empty body (mautic:002-004 of mautic-7.0.0)."""

    def __init__(self) -> None:
        super().__init__(401, "")

    def answer(self) -> Response:
        """Return the whole answer."""
        return json_answer("", 401, {"WWW-Authenticate": 'Basic realm="Secured Area"'})


def unknown_url(path: str) -> KernelError:
    """Return the answer to an unknown route, a wrong method or an id that is not a number.

    Recorded as mautic:061 to mautic:064, mautic:076, mautic:116.
    """
    return KernelError(404, f"Requested URL not found: {path}")


def dump(value: Any) -> str:
    """Return JSON as PHP writes it: compact, ASCII."""
    return json.dumps(value, separators=(",", ":"))


def json_answer(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer with the headers of the recordings."""
    answer = Response(body, status, content_type="application/json")
    answer.headers["Cache-Control"] = "no-cache, private"
    answer.headers.update(headers or {})
    return answer


def error_answer(error: Refused | KernelError) -> Response:
    """Return the answer to an error; only a Refused carries details."""
    if isinstance(error, BasicRefused):
        return error.answer()
    return json_answer(dump({"errors": [error.as_json()]}), error.status)


def php_array(pairs: Mapping[Any, str]) -> str:
    """Return JSON of a PHP array: a list when its keys are 0, 1, 2 …, else an object; values are JSON already."""
    if all(key == place for place, key in enumerate(pairs)):
        return f"[{','.join(pairs.values())}]"
    return "{" + ",".join(f"{dump(str(key))}:{value}" for key, value in pairs.items()) + "}"
