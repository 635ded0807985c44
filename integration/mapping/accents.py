"""WordPress's remove_accents (wp-includes/formatting.php, 6.9): which letters it writes in plain ones.

It knows the letters of European languages and Vietnamese, the signs of euro and pound, and rules of a few locales.
Letters of other scripts are none of its business.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

_PLAIN = {
    "": "£",
    "A": "ÀÁÂÃÄÅĀĂĄǍẠẢẤẦẨẪẬẮẰẲẴẶ",
    "a": "ªàáâãäåāăąǎɑạảấầẩẫậắằẳẵặ",
    "AE": "Æ",
    "ae": "æ",
    "C": "ÇĆĈĊČ",
    "c": "çćĉċč",
    "D": "ÐĎĐ",
    "d": "ðďđ",
    "E": "ÈÉÊËĒĔĖĘĚƏẸẺẼẾỀỂỄỆ€",
    "e": "èéêëēĕėęěǝẹẻẽếềểễệ",
    "G": "ĜĞĠĢ",
    "g": "ĝğġģ",
    "H": "ĤĦ",
    "h": "ĥħ",
    "I": "ÌÍÎÏĨĪĬĮİǏỈỊ",
    "i": "ìíîïĩīĭįıǐỉị",
    "IJ": "Ĳ",
    "ij": "ĳ",
    "J": "Ĵ",
    "j": "ĵ",
    "K": "Ķ",
    "k": "ķĸ",
    "L": "ĹĻĽĿŁ",
    "l": "ĺļľŀł",
    "N": "ÑŃŅŇŊ",
    "n": "ñńņňŉŋ",
    "O": "ÒÓÔÕÖØŌŎŐƠǑỌỎỐỒỔỖỘỚỜỞỠỢ",
    "o": "ºòóôõöøōŏőơǒọỏốồổỗộớờởỡợ",
    "OE": "Œ",
    "oe": "œ",
    "R": "ŔŖŘ",
    "r": "ŕŗř",
    "S": "ŚŜŞŠȘ",
    "s": "ßśŝşšſș",
    "T": "ŢŤŦȚ",
    "t": "ţťŧț",
    "TH": "Þ",
    "th": "þ",
    "U": "ÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛỤỦỨỪỬỮỰ",
    "u": "ùúûüũūŭůűųưǔǖǘǚǜụủứừửữự",
    "W": "Ŵ",
    "w": "ŵ",
    "Y": "ÝŶŸỲỴỶỸ",
    "y": "ýÿŷỳỵỷỹ",
    "Z": "ŹŻŽ",
    "z": "źżž",
}
_GERMAN = {"Ä": "Ae", "ä": "ae", "Ö": "Oe", "ö": "oe", "Ü": "Ue", "ü": "ue", "ß": "ss"}
_DANISH = {"Æ": "Ae", "æ": "ae", "Ø": "Oe", "ø": "oe", "Å": "Aa", "å": "aa"}
_SERBIAN = {"Đ": "DJ", "đ": "dj"}
_LOCALES = {"da_DK": _DANISH, "sr_RS": _SERBIAN, "bs_BA": _SERBIAN}


def remove_accents(text: str, locale: str = "") -> str:
    """Return the text with accented letters written plainly; `locale` is WordPress's own ("de_DE"), "" if not known."""
    text = unicodedata.normalize("NFC", text)
    if locale == "ca":
        text = text.replace("l·l", "ll")
    return text.translate(_table(locale))


@cache
def _table(locale: str) -> Mapping[int, str]:
    plain = {letter: written for written, letters in _PLAIN.items() for letter in letters}
    own = _GERMAN if locale.startswith("de") else _LOCALES.get(locale, {})
    return str.maketrans({**plain, **own})
