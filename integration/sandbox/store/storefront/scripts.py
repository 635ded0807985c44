"""Values written into a page for its scripts."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup


def literal(value: Any) -> Markup:
    r"""Return a JSON value that can stand in a script: < and > and & as \u003C, \u003E and \u0026 (storefront:145)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04X}")
    return Markup(text)
