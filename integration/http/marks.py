"""How a row of the table of foreign answers is written: its marks and its error."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from integration.errors import Blame, ServiceError

Scope = Literal["store", "mautic", "both"]
#: What a body is: a page for people, JSON in the service's own words, other JSON, nothing, or some other text.
Form = Literal["page", "own", "json", "empty", "text"]

FOREIGN: tuple[Form, ...] = ("page", "json", "empty", "text")
NO_JSON: tuple[Form, ...] = ("page", "empty", "text")
PAGE: tuple[Form, ...] = ("page",)
ANY_STATUS, GOOD, REDIRECTS = range(100, 1000), range(200, 300), range(300, 400)
REFUSALS, FAULTS = range(400, 500), range(500, 1000)
#: What a gateway answers that gave up waiting, or lost the server behind it; Cloudflare has numbers of its own.
GAVE_UP = frozenset({502, 504, *range(520, 600)})
GATEWAYS = frozenset({408, 425, 503, *GAVE_UP})


@dataclass(frozen=True, slots=True)
class Mark:
    """One way to recognise a row: everything that is given must fit.

    `body` is searched in the start of the body, `header` is (name, pattern); `wordpress` says whether the page must
    (True) or must not (False) be made by WordPress; `redirect` is the kind of redirect. `code` is the whole error code
    in a store's own words, `said` is searched in the message beside it.
    """

    name: str
    statuses: Collection[int] = ANY_STATUS
    forms: tuple[Form, ...] = (*FOREIGN, "own")
    body: str = ""
    header: tuple[str, str] | None = None
    wordpress: bool | None = None
    redirect: str = ""
    code: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """One row: the error that stands for such an answer; `blame` is that of its kind unless the row names another."""

    code: str
    kind: type[ServiceError]
    sentence: str
    hint: str
    numbers: tuple[str, ...]
    marks: tuple[Mark, ...]
    scope: Scope = "both"
    other_blame: Blame | None = None

    @property
    def blame(self) -> Blame:
        """Return whose fault such an answer is."""
        return self.other_blame or self.kind.blame
