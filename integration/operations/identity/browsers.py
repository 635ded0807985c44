"""What a browser calls itself, in the words of people: "Firefox on Windows"."""

from __future__ import annotations

from collections.abc import Sequence

#: Mark in the User-Agent header -> name. The first that fits: all pretend to be those below them.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
_UNKNOWN = "Another browser"


def named(user_agent: str) -> str:
    """Return the browser and system of a User-Agent header; never any of its own text, which a stranger chooses."""
    browser, system = _first(_BROWSERS, user_agent) or _UNKNOWN, _first(_SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(marks: Sequence[tuple[str, str]], text: str) -> str:
    return next((name for mark, name in marks if mark in text), "")
