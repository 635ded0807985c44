"""What the script in the shop's pages sends of a cart, checked."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from integration.errors import MappingError
from integration.field_errors import Unusable
from integration.field_text import one_line
from integration.identity import visible
from integration.mapping.emails import EMAIL_MAX_CHARS, fit_email
from integration.pipeline.ingest.cart_keeping import ITEMS_MAX
from integration.store.sanitizing import INTEGER_MAX


def _email(value: str) -> str:
    """Return an address as it was typed, "" for none; an unfinished or impossible one is refused."""
    address = visible(value)
    if not address:
        return ""
    try:
        fit_email(address, None)
    except MappingError as error:
        raise Unusable(error.sentence, error.hint) from error
    return address


def page_of(path: str) -> str:
    """Return the path of a page of the shop, "" for anything else: what cannot be one leads nowhere."""
    odd = set("?#\\") & set(path) or not path.isprintable() or " " in path
    return "" if odd or not path.startswith("/") or path.startswith("//") or len(path) > PAGE_MAX_CHARS else path


def _first(rows: Any) -> Any:
    return rows[:ITEMS_MAX] if isinstance(rows, list) else rows


PAGE_MAX_CHARS = 200
Number = Annotated[int, Field(strict=True, ge=1, le=INTEGER_MAX)]
Short = Annotated[str, StringConstraints(max_length=200), AfterValidator(one_line)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class CapturedItem(_Strict):
    """A line: the id of the variation, else of the product; prices are the store's to tell and are not taken."""

    id: Number
    qty: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
    variation: Annotated[list[tuple[Short, Short]], Field(max_length=50)] = []


class CapturedConsent(_Strict):
    """Whether the box is ticked, and the text that stood beside it."""

    ticked: Annotated[bool, Field(strict=True)]
    text: Annotated[str, StringConstraints(max_length=500), AfterValidator(one_line)] = ""


class Captured(_Strict):
    """One state of a cart. `n` counts up in the shopper's browser: an older state never wins over a newer one.

    `email` None means that the page has no field for it, "" that nothing usable stands there. `items` None means that
    the page could not read the cart, [] that it is empty.
    """

    cart: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,40}$")]
    n: Annotated[int, Field(strict=True, ge=1, le=INTEGER_MAX)]
    email: Annotated[str, StringConstraints(max_length=EMAIL_MAX_CHARS), AfterValidator(_email)] | None = None
    items: Annotated[list[CapturedItem] | None, BeforeValidator(_first)] = None
    consent: CapturedConsent | None = None
    draft: Number | None = None
    customer: Number | None = None
    page: Annotated[str, AfterValidator(page_of)] = ""
