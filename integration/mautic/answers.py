"""What Mautic's answers mean: HTTP status, `errors[0].type` and details, turned into the error tree.

Message texts are localised and are looked at in two places only, where the dossier says that nothing else tells the
causes apart (M02, M03).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from integration.errors import Rejected, ServiceError
from integration.http import upstream
from integration.http.transport import Answer
from integration.http.upstream import error_named, retry_after
from integration.masking import mask_text
from integration.mautic import rights
from integration.plans import is_blank

__all__ = [
    "SERVICE",
    "Problem",
    "classify",
    "first_problem",
    "message_of",
    "names_a_value",
    "problem_of",
    "read",
    "refusal",
    "rejected",
    "retry_after",
]
SERVICE = "mautic"


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `errors[]`; `kernel` is True for {message, code, type}, False for {code, message, details}.

    The kernel answers before any controller ran: unknown route, credentials, crash (mautic:001, mautic:063,
    mautic:048); a controller
    answers for the entity: mautic:075, mautic:042. Inside a batch both shapes carry a type (mautic:137, mautic:157).
    """

    code: int = 0
    message: str = ""
    type: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    kernel: bool = False


def problem_of(entry: object) -> Problem | None:
    """Return the problem of one entry of `errors`, None when it is not one; `details` may be [] (mautic:075)."""
    if not isinstance(entry, dict):
        return None
    details = entry.get("details")
    return Problem(
        code=_number(entry.get("code")),
        message=str(entry.get("message") or ""),
        type=str(entry.get("type") or ""),
        details=details if isinstance(details, dict) else _listed(details),
        kernel="details" not in entry,
    )


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0


def _listed(details: object) -> dict[str, Any]:
    return {str(index): text for index, text in enumerate(details)} if isinstance(details, list) else {}


def first_problem(value: object) -> Problem | None:
    """Return the first problem of an answer's JSON, whichever of the shapes it has, or None.

    OAuth2's plain {"error", "error_description"} (Mautic 2, some proxies) counts as a type.
    """
    if not isinstance(value, dict):
        return None
    entries = value.get("errors")
    if isinstance(entries, dict):
        entries = list(entries.values())
    if isinstance(entries, list) and entries:
        return problem_of(entries[0])
    if isinstance(value.get("error"), str):
        return Problem(message=str(value.get("error_description") or ""), type=value["error"], kernel=True)
    return None


def classify(answer: Answer, now: datetime, *, basic: bool, path: str) -> ServiceError | None:
    """Return the error that an answer means, None for 2xx; `path` is below /api/, `basic` how we signed in."""
    if answer.status < 300:
        return None
    foreign = upstream.judge(SERVICE, answer, now)
    if foreign is not None:
        return foreign
    problem = first_problem(_json(answer)) or Problem(kernel=True)
    return refusal(answer.status, problem, path=path, basic=basic, excerpt=mask_text(answer.text[:1000]))


def _json(answer: Answer) -> object:
    try:
        return answer.json()[0]
    except ValueError:
        return None


#: What MySQL says of a table that takes no more columns; Mautic repeats it (dossier 4.5, M25).
_NO_ROOM = re.compile(r"row size too large|limit of custom fields|max 64 keys", re.IGNORECASE)


def refusal(
    status: int, problem: Problem, *, path: str = "", basic: bool = False, excerpt: str = "", row: bool = False
) -> ServiceError:
    """Return the error of a problem that Mautic named, for a whole answer or (`row`) for one row of a batch."""
    if status in (400, 401, 403):
        credentials = None if row else _credentials(status, problem, basic, excerpt)
        if credentials is not None:
            return credentials
    if status == 403:
        area, right = rights.needed(path)
        return error_named("no_right", SERVICE, status=status, excerpt=excerpt, area=area, right=right)
    if status == 404 and problem.kernel and not row:
        return error_named("no_route", SERVICE, status=status, excerpt=excerpt)
    if status == 409:
        return error_named("locked", SERVICE, status=status, excerpt=excerpt)
    if status in (400, 500) and _NO_ROOM.search(problem.message):
        return error_named("too_many_fields", SERVICE, status=status, excerpt=excerpt)
    if status >= 500 or status in (401, 405):
        return error_named("server_fault", SERVICE, status=status, excerpt=excerpt, fault=f"status {status}")
    return _content(status, problem, excerpt)


def _content(status: int, problem: Problem, excerpt: str) -> Rejected:
    code = {404: "not_found", 422: "not_unique"}.get(status, "refused")
    said = _said(problem)
    return rejected(code, status, problem, excerpt, said=f": {said}" if said else "")


def rejected(code: str, status: int, problem: Problem, excerpt: str, **parts: object) -> Rejected:
    """Return the error of a row of the table with what Mautic said of each field, its gaps filled with `parts`."""
    error = cast(Rejected, error_named(code, SERVICE, status=status, excerpt=excerpt, **parts))
    error.details = dict(problem.details)
    return error


def _said(problem: Problem) -> str:
    said = "; ".join(f"{name}: {message_of(value)}" for name, value in problem.details.items())
    return mask_text(said or problem.message)[:300].rstrip(".")


def message_of(value: object) -> str:
    """Return the text of one entry of `details`: a text, or a list of texts."""
    if isinstance(value, list | tuple):
        return " ".join(str(part) for part in value)
    return str(value)


def names_a_value(sent: Mapping[str, Any], details: Mapping[str, Any]) -> bool:
    """Tell whether a refusal names a field of which the row that was sent says something."""
    return any(alias in details and not is_blank(value) for alias, value in sent.items())


def _credentials(status: int, problem: Problem, basic: bool, excerpt: str) -> ServiceError | None:
    """Return the error of credentials: mautic:001 to mautic:018, mautic:353 to mautic:358, dossier 2.4."""
    if status == 403 and problem.type == "api_disabled":
        return error_named("api_disabled", SERVICE, status=status, excerpt=excerpt)
    if status == 403 and problem.type == "access_denied" and (basic or "basic" in problem.message.lower()):
        return error_named("basic_disabled", SERVICE, status=status, excerpt=excerpt)
    if status == 401 and "API authorization denied" in problem.message:
        return error_named("header_lost", SERVICE, status=status, excerpt=excerpt)
    name = _refused_as(status, problem.type)
    return error_named(name, SERVICE, status=status, excerpt=excerpt) if name else None


def _refused_as(status: int, kind: str) -> str:
    if kind == "invalid_grant":
        return "token_refused" if status == 401 else "grant_refused"
    if kind in ("invalid_client", "invalid_request"):
        return kind
    if kind in ("unauthorized_client", "unsupported_grant_type"):
        return "unauthorized_client"
    return "wrong_credentials" if status == 401 else ""


def read(answer: Answer) -> Any:
    """Return the JSON of a 2xx answer; NotSetUp (not_mautic) for a page, ServerFault (unreadable) for half of one."""
    foreign = upstream.judge(SERVICE, answer)
    if foreign is not None:
        raise foreign
    return answer.json()[0]
