"""Slugs as WordPress makes them: sanitize_title and sanitize_title_with_dashes (wp-includes/formatting.php, 6.9)."""

from __future__ import annotations

import functools
import html
import re
import unicodedata

from slugify import slugify

from integration.mapping.accents import remove_accents
from integration.mapping.text import clean

#: PHP's strip_tags: `<` before a blank is text, before anything else a tag, which may stay open to the end.
_MARKUP = re.compile(r"<(?=\S)[^>]*(?:>|$)")
_SPACES = "\u2000-\u200a\u2028\u2029\u202f"
#: Blanks and dashes; WordPress has no word for U+2010 to U+2012 and U+2015 and would percent-encode them.
_DASHES = re.compile(rf"[/\u00a0\u2010-\u2015{_SPACES}]|&(?:nbsp|#160|ndash|#8211|mdash|#8212);")
#: Soft hyphen, Spanish and angle quotes, curly quotes, bullet, ©®°…™, accents alone, characters without width.
_STRIPPED = re.compile(
    "[\u00ad\u00a1\u00bf\u00ab\u00bb\u2039\u203a\u2018-\u201f\u2022\u00a9\u00ae\u00b0\u2026\u2122\u00b4\u02ca"
    "\u0301\u0341\u0300\u0304\u030c\u200b-\u200f\u202a-\u202e\ufeff\ufffc]"
)
_ENTITIES = re.compile(r"&.+?;")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_DROPPED = re.compile(r"[^a-z0-9 _-]")
_GAPS = re.compile(r"[\s-]+")


@functools.lru_cache(maxsize=8192)
def slug(text: str, locale: str = "") -> str:
    """Return the text as WordPress's sanitize_title saves it: lower case, `a-z0-9_-`, blanks as dashes.

    `locale` is the shop's ("de_DE" writes ö as oe). One thing differs: letters of other scripts are transliterated
    ("Футболка" -> "futbolka"), where WordPress would percent-encode them, because nobody can read or pick %d1%84 from
    a list of tags; percent signs are dropped.
    """
    text = _MARKUP.sub("", remove_accents(clean(text), locale)).lower()
    text = _STRIPPED.sub("", _DASHES.sub("-", text)).replace("\u00d7", "x")
    text = _ENTITIES.sub("", text).replace(".", "-")
    text = _DROPPED.sub("", _FOREIGN.sub(_transliterated, text).lower())
    return _GAPS.sub("-", text).strip("-")


def _transliterated(match: re.Match[str]) -> str:
    """Write letters of other scripts in Latin ones; signs such as → are dropped."""
    words = "".join(
        letter if unicodedata.category(letter)[0] in "LMN" else " " * letter.isspace() for letter in match[0]
    )
    return " ".join(slugify(word) for word in words.split(" "))


_FIRST_MARKUP = re.compile(r"<[^<>]*>")
_FIRST_DASHES = re.compile(r"[./\u00a0\u2010-\u2015]")
_FIRST_DROPPED = re.compile(r"[^a-z0-9 _-]")


@functools.lru_cache(maxsize=8192)
def first_version(text: str) -> str:
    """Return the slug as the first version of this program made it; tags in Mautic may still have it."""
    text = _FIRST_MARKUP.sub("", html.unescape(clean(text))).replace("\u00d7", "x")
    text = _FOREIGN.sub(_transliterated, _FIRST_DASHES.sub("-", text)).lower()
    return re.sub(r"[ -]+", "-", _FIRST_DROPPED.sub("", text.replace("\t", " "))).strip("-")
