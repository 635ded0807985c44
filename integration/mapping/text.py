"""Text as Mautic takes it: no control characters, no markup, no longer than the field."""

from __future__ import annotations

import re
import unicodedata

#: Half of a surrogate pair alone cannot be written as UTF-8, and JSON from a store can hold one.
_BROKEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_ENDS = re.compile(r"[\t\r\n]+")
_TAG = re.compile(r"<(?=[^\s<>])[^<>]*>")
_OPEN = re.compile(r"<(?=\S)")
#: A cut at a word may cost this share of the allowed length, more would lose too much of the value.
_WORD_LOSS = 0.4
#: Kinds of characters that Mautic takes from both ends of a text: separators, control and format characters.
_TRIMMED = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})


def trimmed(text: str) -> str:
    """Return the text without what Mautic takes from its ends: blanks, and marks such as U+200B, U+202B, U+FEFF.

    Its forms trim so (Symfony's StringUtil::trim); what stands inside a text stays.
    """
    if text[:1].isalnum() and text[-1:].isalnum():
        return text
    begin, end = 0, len(text)
    while begin < end and unicodedata.category(text[begin]) in _TRIMMED:
        begin += 1
    while end > begin and unicodedata.category(text[end - 1]) in _TRIMMED:
        end -= 1
    return text[begin:end]


def clean(text: str, *, lines: bool = False) -> str:
    """Return the text without control characters, lone surrogates and what Mautic trims; line ends stay if `lines`."""
    text = _BROKEN.sub("", text.replace("\r\n", "\n"))
    return trimmed(text if lines else _LINE_ENDS.sub(" ", text))


def without_markup(text: str) -> str:
    """Return the text as Mautic stores it, which strips HTML tags (mautic:051, mautic:274).

    A lone `<` before a letter ("<3") would cost Mautic's stripping the rest of the text, so a blank is put after it.
    """
    shorter = _TAG.sub("", text)
    while shorter != text:
        text, shorter = shorter, _TAG.sub("", shorter)
    return _ended(_OPEN.sub("< ", text), "<")


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters (code points, as Mautic counts: 069), cut at a word if one is near."""
    if len(text) <= limit:
        return text
    cut = text[:limit]
    if not text[limit].isspace():
        space = max(cut.rfind(" "), cut.rfind("\n"))
        cut = cut[:space] if space >= limit * (1 - _WORD_LOSS) else cut
    # A joiner at the end would wait for the other half of an emoji, a lone < would be taken for a tag.
    return _ended(cut, ",;<")


def _ended(text: str, signs: str) -> str:
    """Return the text without these signs at its end, and trimmed."""
    shorter = trimmed(text).rstrip(signs)
    while shorter != text:
        text, shorter = shorter, trimmed(shorter).rstrip(signs)
    return text


def shorten_bytes(text: str, limit: int) -> str:
    """Return the text cut to `limit` bytes of UTF-8, never inside a character."""
    return trimmed(text.encode()[:limit].decode(errors="ignore")) if len(text.encode()) > limit else text
