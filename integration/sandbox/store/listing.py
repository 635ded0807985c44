"""One page of a list: the rows, the totals in the headers, and the Link to the pages beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from integration.sandbox.store import rest_format
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    number: int
    size: int
    offset: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> Page:
        """Read page, per_page and offset; an offset replaces the page (woo:028)."""
        number, size = int(values["page"]), int(values["per_page"])
        offset = values.get("offset")
        return cls(number, size, (number - 1) * size if offset is None else int(offset))

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows of this page."""
        return rows[self.offset : self.offset + self.size]


@dataclass
class Style:
    """How one resource writes its list's headers: where its Link goes and what it adds to the query."""

    place: str
    link_params: Callable[[dict[str, Any]], dict[str, Any]] = dict
    added: dict[str, str] = field(default_factory=dict)
    forgets_total: bool = False
    empty_pages: int = 0


def answer(request: ApiRequest, page: Page, total: int, rows: list[Any], style: Style) -> ApiAnswer:
    """Return one page as JSON with X-WP-Total, X-WP-TotalPages and Link."""
    fields = request.fields
    body = [rest_format.pick(row, fields) for row in rows]
    if fields == [] and request.query.get("_fields") is not None:
        body = [{} for _ in rows]
    beyond = page.number > 1 and page.offset >= total
    shown = 0 if beyond and style.forgets_total else total
    pages = -(-shown // page.size) or style.empty_pages
    headers = [("X-WP-Total", str(shown)), ("X-WP-TotalPages", str(pages))]
    link = _link(request, page, pages, style, beyond)
    if link:
        return ApiAnswer(200, body, [*headers, ("Link", link)])
    return ApiAnswer(200, body, [api_link(request), *headers])


def api_link(request: ApiRequest) -> tuple[str, str]:
    """Return the Link header that says where the REST API is (woo:415 and woo:423)."""
    return "Link", f'<{request.root}/>; rel="https://api.w.org/"'


def _link(request: ApiRequest, page: Page, pages: int, style: Style, beyond: bool) -> str:
    # An order list past its end names page 0 as the page before, a 400 if followed (woo:022 and woo:027).
    before = min(page.number - 1, pages)
    parts = []
    if page.number > 1 and before >= 0:
        parts.append(f'<{_address(request, before, style, not beyond)}>; rel="prev"')
    if page.number < pages:
        parts.append(f'<{_address(request, page.number + 1, style, True)}>; rel="next"')
    return ", ".join(parts)


def _address(request: ApiRequest, number: int, style: Style, filled: bool) -> str:
    params = style.link_params(dict(request.query))
    if filled:
        params.update(style.added)
    params["page"] = number
    joint = "&" if "?" in request.root else "?"
    params.pop("rest_route", None)
    place = style.place if joint == "?" else style.place.replace("/", "%2F")
    return f"{request.root}{place}{joint}{rest_format.build_query(params)}"
