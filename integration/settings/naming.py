"""Settings for several stores that go to one Mautic: what each puts before its own fields and tags (X16)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from integration.field_errors import Unusable
from integration.settings.kinds import Settings, Text

#: With it our aliases begin with as many characters as without (mapping/aliases.py), so that Mautic's limit, 25
#: characters, cuts no two of them to the same.
NAME_SPACE_MAX_CHARS = 6
_NAME_SPACE = re.compile(rf"[a-z0-9]{{0,{NAME_SPACE_MAX_CHARS}}}")


def _name_space(value: str) -> str:
    """Return a name space in lower case, as Mautic keeps aliases; raises Unusable for what no alias may hold."""
    lower = value.lower()
    if not _NAME_SPACE.fullmatch(lower):
        sentence = f"A name space has at most {NAME_SPACE_MAX_CHARS} letters from a to z and digits, and no other sign."
        raise Unusable(sentence, "Write a short name of this store, such as de or shop2, or leave it empty.")
    return lower


NameSpace = Annotated[Text, AfterValidator(_name_space)]


class NamingModule(Settings):
    """How what we make in Mautic is named; descriptions are the help on pages."""

    name_space: NameSpace = Field(
        default="",
        title="Name space",
        description="Only for several stores that go to one Mautic: a short name of this store, at most "
        f"{NAME_SPACE_MAX_CHARS} letters and digits, such as de. Empty: no name space.",
    )
