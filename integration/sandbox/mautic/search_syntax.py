"""How Mautic reads the words of a search: commands, quotes, brackets, or, and, + and !.

A value in front of which nothing guards runs on to the next blank. Since Mautic 7 only OR and AND in capitals join;
a small one is a word that must be found like any other (mautic:085, mautic:571).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from integration.sandbox.mautic import php_format

GROUPS = {'"': '"', "(": ")"}


@dataclass
class Term:
    """One thing that is looked for: `command` "" is any of the plain columns; `inner` are the terms in brackets."""

    command: str
    said: str
    negated: bool = False
    either: bool = False
    inner: list[Term] = field(default_factory=list)


def parse(words: str, major: int, command: str = "") -> list[Term]:
    """Return the terms in their order; `either` joins one to those before it by OR, the others by AND."""
    return _Reader(php_format.strip_tags(words).strip(), major, command).read()


class _Reader:
    """Reads from left to right, one character after another."""

    def __init__(self, words: str, major: int, command: str) -> None:
        self._words = words
        self._major = major
        self._outer = self._command = command
        self._negated = self._either = False
        self._terms: list[Term] = []

    def read(self) -> list[Term]:
        """Return the terms."""
        word, place = "", 0
        while place < len(self._words):
            char = self._words[place]
            place += 1
            if char == ":":
                self._begin(word.strip())
                word = ""
            elif char == " ":
                self._end(word.strip())
                word = ""
            elif char in GROUPS:
                end = self._closing(place - 1)
                self._group(word + self._words[place - 1 : end], char, closed=end > 0)
                word, place = "", end or len(self._words)
            else:
                word += char
        self._end(word.strip(), last=True)
        return self._terms

    def _begin(self, name: str) -> None:
        self._negated = self._negated or name.startswith("!")
        self._command = name.removeprefix("!")

    def _closing(self, opened: int) -> int:
        """Return the place behind the partner of an opening character, 0 if there is none."""
        opening, closing, depth = self._words[opened], GROUPS[self._words[opened]], 0
        for place in range(opened + 1, len(self._words)):
            if self._words[place] == closing and depth == 0:
                return place + 1
            depth += {opening: 1, closing: -1}.get(self._words[place], 0)
        return 0

    def _group(self, said: str, opening: str, *, closed: bool) -> None:
        if not closed:
            self._add("")  # Nothing is looked for; an unfinished quote finds nobody.
            return
        if said.startswith("!"):
            self._negated, said = True, said[1:]
        if said.startswith(opening):
            said = said[1:-1]
        # Letters before the bracket stay before it: reading them and it again would never end.
        if opening == "(" and len(said) < len(self._words) and any(each in said for each in " ()"):
            self._add("", parse(said, self._major, self._command))
        else:
            self._end(said.strip(), last=True)

    def _end(self, word: str, *, last: bool = False) -> None:
        joint = word if self._major >= 7 else word.upper()
        if joint in ("OR", "AND"):
            self._either = joint == "OR" and not last
        elif word:
            self._add(self._signed(word))

    def _signed(self, word: str) -> str:
        """Take + and ! off the front of a word; both within its first two characters cost it two, whatever they are."""
        strict, negated = word.find("+"), word.find("!")
        if strict not in (0, 1) and negated not in (0, 1):
            return word
        if strict >= 0 and negated >= 0:
            self._negated = True
            return word[2:]
        if strict == 0 or negated == 0:
            self._negated = negated == 0
            return word[1:]
        return word

    def _add(self, said: str, inner: list[Term] | None = None) -> None:
        self._terms.append(Term(self._command, said, self._negated, self._either, inner or []))
        self._command, self._negated, self._either = self._outer, False, False
