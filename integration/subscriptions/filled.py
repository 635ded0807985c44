"""What somebody has filled into the subscribe form."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, BeforeValidator, ConfigDict

from integration.errors import MappingError
from integration.identity import visible
from integration.mapping.emails import EMAIL_MAX_CHARS, fit_email
from integration.mapping.text import clean
from integration.settings import SubscribeModule

NAME_MAX_CHARS = 100
PAGE_MAX_CHARS = 300
#: The wording with all its characters escaped, and more.
STAMP_MAX_CHARS = 12_000
#: Signs of markup, and of the tokens of e-mails: a name stands in other people's e-mails.
_SIGNS = re.compile(r"[<>{}\u202a-\u202e\u2066-\u2069\u2028\u2029]")
#: What is no name but an advertisement that wants to be sent to others.
_ADVERTISES = re.compile(r"://|www\.", re.IGNORECASE)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _name(value: Any) -> str:
    return " ".join(clean(_SIGNS.sub(" ", _text(value))).split())[:NAME_MAX_CHARS]


def _address(value: Any) -> str:
    """Return the address of a page without what its query may say of the visitor, "" for none."""
    address = clean(_text(value)).partition("#")[0].partition("?")[0]
    return address[:PAGE_MAX_CHARS] if address.startswith(("http://", "https://")) else ""


def _ticked(value: Any) -> bool:
    return value is True or value in ("1", "on")


_Name = Annotated[str, BeforeValidator(_name)]


class Filled(BaseModel):
    """A form as it was sent: anything is read, `mistakes` and `is_of_a_program` judge it.

    `website` is an input that people do not see; `stamp` tells when the form was drawn, and with which wording.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    email: Annotated[str, BeforeValidator(lambda value: visible(_text(value))[: EMAIL_MAX_CHARS + 1])] = ""
    first_name: _Name = ""
    last_name: _Name = ""
    consent: Annotated[bool, BeforeValidator(_ticked)] = False
    website: Annotated[str, BeforeValidator(_text)] = ""
    stamp: Annotated[str, BeforeValidator(lambda value: _text(value)[:STAMP_MAX_CHARS])] = ""
    page: Annotated[str, BeforeValidator(_address)] = ""

    @property
    def is_of_a_program(self) -> bool:
        """Tell whether no person has filled it in: something stands where only programs write, or a name advertises."""
        return bool(self.website) or any(_ADVERTISES.search(name) for name in (self.first_name, self.last_name))

    def under(self, wording: str, module: SubscribeModule) -> Self:
        """Return what to draw anew: the box stays ticked only beside the wording that it was ticked for."""
        return self if wording == module.consent_text else self.model_copy(update={"consent": False})

    def mistakes(self, module: SubscribeModule) -> dict[str, str]:
        """Return field -> what is wrong with it, in the shop's words."""
        found = {} if is_address(self.email) else {"email": module.email_wrong}
        return found if self.consent else {**found, "consent": module.consent_missing}


def is_address(email: str) -> bool:
    """Tell whether e-mails can be sent to an address, by what it looks like, and Mautic takes it."""
    try:
        validate_email(fit_email(email, None)[0], check_deliverability=False)
    except (MappingError, EmailNotValidError):
        return False
    return len(email) <= EMAIL_MAX_CHARS
