"""The lines with the subscribe form for the shop: small, of their source, and no words leave their quotes."""

from __future__ import annotations

import hashlib

from integration import shop_lines
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.settings import SubscribeModule
from integration.subscriptions import script
from tests.web.conftest import Person


def test_the_script_is_small_and_of_its_source(visitor: Person, path: str) -> None:
    answer = visitor.client.get(f"{path}.js")
    assert answer.content_type.startswith("text/javascript")
    assert len(answer.data) < 4 * 1024
    assert path in answer.text
    assert shop_lines.PLACE not in answer.text
    made_of = hashlib.sha256(script.SOURCE.read_bytes()).hexdigest()[:16]
    assert script.MINIFIED.read_text(encoding="utf-8").startswith(f"/* {made_of} */"), "run `make script`"


def test_words_cannot_leave_their_quotes(visitor: Person, path: str, services: Services, connector_id: int) -> None:
    odd = '</script><b>\'); system("x") \\'
    module = SubscribeModule(enabled=True, consent_text=odd, button=odd, email_label=odd)
    assert "</script>" not in script.script(module, "https://our.example/subscribe/x")
    assert "<b>" not in script.frame_line(module, "https://our.example/subscribe/x")
    snippet = script.wordpress_snippet(module, "https://our.example/subscribe/x")
    assert "&lt;/script&gt;&lt;b&gt;&#x27;); system(&quot;x&quot;) \\\\" in snippet
    pairs.configure(services, connector_id, {"subscribe.consent_text": f"{odd} https://shop.example/privacy."})
    page = visitor.client.get(path).text
    assert "<b>" not in page
    assert '<a href="https://shop.example/privacy"' in page
