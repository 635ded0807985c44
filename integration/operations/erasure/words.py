"""The words by which a person is found in texts that are not kept by the person: in logs, errors, alerts, answers.

A text is of the person if it has one of the words that nobody else has, an address, a telephone number, a street with
its number or the whole name, or first and last name apart. Only then the rest of the name is taken out of it, too.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

ERASED = "(erased)"
#: What stands before a word although it looks like a part of it: of a percent code, or of an escape in JSON.
_BEFORE = r"(?:(?<![\w.+-])|(?<=%[0-9a-fA-F]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9a-fA-F]{4}))"
_AFTER = r"(?![\w-])"
#: An address goes on behind a dot: ada@shop.co is not ada@shop.co.uk.
_AFTER_ADDRESS = r"(?![\w-]|\.[a-z0-9])"
_DIGITS_MIN, _STREET_MIN_CHARS, _NAME_MIN_CHARS = 6, 5, 2


@dataclass(frozen=True)
class Words:
    """What tells the person: `addresses`, other words that `tell` alone, `names` as (first, last), words `beside`."""

    addresses: tuple[str, ...] = ()
    tell: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, ...] = ()

    @classmethod
    def of(cls, addresses: Iterable[str], people: Iterable[Mapping[str, str]]) -> Words:
        """Return the words of a person's addresses and of what their records say of them.

        `people` have first_name, last_name, phone, address_1, address_2, company, postcode; "" for what is not said.
        """
        tell, names, beside = set[str](), set[tuple[str, str]](), set[str]()
        for person in people:
            first, last = person.get("first_name", "").strip(), person.get("last_name", "").strip()
            if first and len(last) >= _NAME_MIN_CHARS:
                tell |= {f"{first} {last}", f"{last} {first}", f"{last}, {first}"}
                names.add((first, last))
            told = {person.get(name, "").strip() for name in ("phone", "address_1", "address_2")}
            tell |= {word for word in told if _tells(word)}
            rest = {first, last, *(person.get(name, "").strip() for name in ("company", "postcode")), *told}
            beside |= {word for word in rest if len(word) >= _NAME_MIN_CHARS}
        addresses = sorted({address.strip() for address in addresses} - {""})
        return cls(tuple(addresses), tuple(sorted(tell)), tuple(sorted(names)), tuple(sorted(beside)))

    def __bool__(self) -> bool:
        return bool(self.addresses or self.tell or self.names)

    def are_in(self, text: str) -> bool:
        """Tell whether a text is of the person, however it is escaped."""
        if self._telling.search(text):
            return True
        return any(first.search(text) and last.search(text) for first, last in self._named)

    def erased(self, text: str) -> str:
        """Return a text of the person without any of the words."""
        return self._beside.sub(ERASED, self._telling.sub(ERASED, text))

    def erased_value(self, value: Any) -> Any:
        """Return a JSON value of the person without any of the words, in keys as in values."""
        if isinstance(value, str):
            return self.erased(value)
        if isinstance(value, list):
            return [self.erased_value(each) for each in value]
        if isinstance(value, dict):
            return {self.erased(key): self.erased_value(each) for key, each in value.items()}
        if isinstance(value, int) and not isinstance(value, bool) and self.are_in(str(value)):
            return ERASED
        return value

    def likely(self) -> list[tuple[str, ...]]:
        """Return what a database is asked for: texts in small letters, each group all in one row."""
        alone = {(form,) for word in (*self.addresses, *self.tell) for form in _small(word)}
        pairs = {(one, other) for first, last in self.names for one in _small(first) for other in _small(last)}
        return sorted(alone | pairs)

    def to_json(self) -> dict[str, Any]:
        """Return the words as JSON."""
        return {"addresses": self.addresses, "tell": self.tell, "names": self.names, "beside": self.beside}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Words:
        """Return the words that `to_json` gave."""
        names = tuple((str(first), str(last)) for first, last in stored["names"])
        return cls(tuple(stored["addresses"]), tuple(stored["tell"]), names, tuple(stored["beside"]))

    @cached_property
    def _telling(self) -> re.Pattern[str]:
        parts = [_any(self.addresses, _AFTER_ADDRESS), _any(self.tell, _AFTER)]
        return re.compile("|".join(filter(None, parts)) or r"(?!)", re.IGNORECASE)

    @cached_property
    def _beside(self) -> re.Pattern[str]:
        return re.compile(_any(self.beside, _AFTER) or r"(?!)", re.IGNORECASE)

    @cached_property
    def _named(self) -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
        return [
            (re.compile(_any([first], _AFTER), re.IGNORECASE), re.compile(_any([last], _AFTER), re.IGNORECASE))
            for first, last in self.names
        ]


def people_in(payload: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield what a record says of people, as `Words.of` takes it: the account, the billing and the shipping part."""
    for part in (payload, payload.get("billing"), payload.get("shipping")):
        if isinstance(part, Mapping):
            names = ("first_name", "last_name", "phone", "address_1", "address_2", "company", "postcode")
            yield {name: str(part.get(name) or "") for name in names}


def _tells(word: str) -> bool:
    """Tell whether a telephone number or a line of an address is nobody else's: short ones may be anybody's."""
    digits = sum(letter.isdigit() for letter in word)
    has_letters = any(letter.isalpha() for letter in word)
    return digits > 0 and len(word) >= _STREET_MIN_CHARS if has_letters else digits >= _DIGITS_MIN


def _any(words: Iterable[str], after: str) -> str:
    forms = sorted({form for word in words for form in _forms(word)}, key=lambda form: (-len(form), form))
    return f"{_BEFORE}(?:{'|'.join(map(re.escape, forms))}){after}" if forms else ""


def _forms(word: str) -> Collection[str]:
    """Return how a word is written in texts: as it is, in JSON once and twice, in addresses and in HTML."""
    once = {word, json.dumps(word)[1:-1], word.replace("/", "\\/"), json.dumps(word)[1:-1].replace("/", "\\/")}
    twice = {json.dumps(form)[1:-1] for form in once}
    return {*once, *twice, quote(word, safe=""), quote(word), quote_plus(word), html.escape(word)}


def _small(word: str) -> set[str]:
    """Return the forms as both databases make small letters: SQLite knows those of ASCII only."""
    return {small for form in _forms(word) for small in (form.lower(), _ascii_lower(form))}


def _ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
