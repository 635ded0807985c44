"""How the storefront is set up, and what stands between it and its shoppers: switches for tests and the demo."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

CSP_NO_SCRIPT = "script-src 'self' 'unsafe-inline'"
CSP_NO_CONNECT = "connect-src 'self'"
WINDOW = 10
KINDS: dict[str, tuple[type, ...]] = {
    "firewall": (bool,),
    "rate_limit": (int, type(None)),
    "csp": (str,),
    "script": (str,),
    "has_reminder_field": (bool,),
    "fields_after": (int, float),
}


@dataclass
class Settings:
    """The storefront's settings.

    `firewall` blocks the Store API as a security plugin does (403); `rate_limit` lets so many of its calls through in
    ten seconds (WooCommerce's own limit: 25, off unless set); `csp` is a Content-Security-Policy of the host's for
    every page, such as CSP_NO_SCRIPT or CSP_NO_CONNECT; `script` is a line of HTML put into every page, as an owner
    pastes it; `has_reminder_field` draws the checkbox of the WordPress snippet in the block checkout; the block
    checkout's fields come `fields_after` seconds after the page.
    """

    firewall: bool = False
    rate_limit: int | None = None
    csp: str = ""
    script: str = ""
    has_reminder_field: bool = False
    fields_after: float = 0.5
    calls: deque[int] = field(default_factory=deque)

    def shown(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {name: getattr(self, name) for name in KINDS}

    def change(self, values: dict[str, Any]) -> None:
        """Set what is named; raises ValueError for an unknown name or a value of another kind, and sets nothing."""
        for name, value in values.items():
            if name not in KINDS:
                raise ValueError(f"Unknown setting: {name}. Use one of {', '.join(KINDS)}.")
            if not isinstance(value, KINDS[name]) or isinstance(value, bool) != (KINDS[name] == (bool,)):
                raise ValueError(f"{name} must be {' or '.join(kind.__name__ for kind in KINDS[name])}.")
        for name, value in values.items():
            setattr(self, name, value)

    def wait(self, now: int) -> int:
        """Count a call of the Store API and return how many seconds it has to wait, 0 when it may go through."""
        if self.rate_limit is None:
            return 0
        while self.calls and self.calls[0] <= now - WINDOW:
            self.calls.popleft()
        if len(self.calls) >= self.rate_limit:
            return self.calls[0] + WINDOW - now
        self.calls.append(now)
        return 0
