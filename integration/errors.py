"""The exception tree.

    IntegrationError
    ├── NotNow            what was asked cannot be done as things are: nothing was changed
    ├── SettingError      a deployment or connector setting is wrong
    ├── MappingError      the record itself cannot be mapped: dead letter
    └── ServiceError      the store or Mautic
        ├── Unreachable   DNS, TCP, TLS, time-out, cut answer: hold, try later
        ├── Throttled     429 or 503 with Retry-After: wait as told
        ├── ServerFault   5xx or an unreadable answer: try again
        ├── AuthRejected  credentials or rights refused: hold until mended
        ├── NotSetUp      the address or a switch on the other side is wrong: hold
        ├── Held          no call was made, for the ones before it failed: try later
        └── Rejected      this one request was refused for its content: dead letter

Each error has a `code` (used in log, page, docs and tests), a `sentence` for people, a `hint` that says what to do, and
a `blame` that says whose fault it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Blame(StrEnum):
    """Whose fault it is, which decides what happens: a dead letter, a hold of the connection, or another try."""

    RECORD = "record"
    CONNECTION = "connection"
    NOBODY = "nobody"


class IntegrationError(Exception):
    """Something went wrong that a person can be told in one sentence.

    `blame` is that of the class, unless whoever judged the answer says otherwise.
    """

    blame = Blame.RECORD

    def __init__(self, code: str, sentence: str, hint: str = "") -> None:
        super().__init__(code, sentence, hint)
        self.code = code
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        """Return the sentence and what to do about it."""
        return f"{self.sentence} {self.hint}".strip()


class NotNow(IntegrationError):
    """What was asked cannot be done as things are now, such as while a run is going; nothing was changed."""


class SettingError(IntegrationError):
    """A setting has a value that cannot be used; `name` is the setting.

    Where several were given at once, `others` are the errors of the further settings.
    """

    def __init__(self, name: str, sentence: str, hint: str = "", *, others: tuple[SettingError, ...] = ()) -> None:
        super().__init__("setting", sentence, hint)
        self.name = name
        self.others = others

    def at(self, name: str) -> str:
        """Return what is wrong with one setting and what to do, "" when nothing is."""
        return next((str(each) for each in (self, *self.others) if each.name == name), "")


class MappingError(IntegrationError):
    """The record cannot be turned into a contact."""


class ServiceError(IntegrationError):
    """The store or Mautic did not do what was asked.

    `service` is "store" or "mautic", `status` the HTTP status where there was one, `excerpt` the start of the raw
    answer (at most 500 characters, secrets masked by the caller).
    """

    def __init__(
        self,
        service: str,
        code: str,
        sentence: str,
        hint: str = "",
        *,
        status: int | None = None,
        excerpt: str = "",
    ) -> None:
        super().__init__(code, sentence, hint)
        self.service = service
        self.status = status
        self.excerpt = excerpt[:500]


class Unreachable(ServiceError):
    """No complete answer came: name, connection, TLS, time-out or a cut body.

    `sent` is True when the request may have been carried out (a time-out or cut after it was sent).
    """

    blame = Blame.CONNECTION

    def __init__(self, service: str, code: str, sentence: str, hint: str = "", *, sent: bool = False) -> None:
        super().__init__(service, code, sentence, hint)
        self.sent = sent


class Throttled(ServiceError):
    """The service asks to wait; `retry_after` is in seconds, None when it did not say."""

    blame = Blame.CONNECTION

    def __init__(
        self, service: str, code: str, sentence: str, hint: str = "", *, status: int, retry_after: float | None = None
    ) -> None:
        super().__init__(service, code, sentence, hint, status=status)
        self.retry_after = retry_after


class ServerFault(ServiceError):
    """The service failed in itself (5xx) or its answer could not be read."""

    blame = Blame.NOBODY


class AuthRejected(ServiceError):
    """The credentials were refused, or they lack a right."""

    blame = Blame.CONNECTION


class NotSetUp(ServiceError):
    """The address or a switch of the other system is wrong, so no request can succeed."""

    blame = Blame.CONNECTION


class Held(ServiceError):
    """The call was not made: those before it failed, and code, sentence and hint are theirs."""

    blame = Blame.CONNECTION


class Rejected(ServiceError):
    """This request was refused for its content; `details` maps a field to its messages."""

    def __init__(
        self,
        service: str,
        code: str,
        sentence: str,
        hint: str = "",
        *,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        excerpt: str = "",
    ) -> None:
        super().__init__(service, code, sentence, hint, status=status, excerpt=excerpt)
        self.details = dict(details or {})
