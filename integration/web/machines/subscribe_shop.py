"""Whose subscribe form it is, in which words and look, and where its pages may stand and lead to."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, make_response, render_template, request

from integration.models.connector import Connector
from integration.pipeline.connectors.shop_origins import Origin, homes, origin_of
from integration.settings import SubscribeModule
from integration.subscriptions.stamps import Stamps
from integration.web.frame.security import policy
from integration.web.frame.services import services
from integration.web.machines.shop_pages import connector_of

#: How a frame may look; a page that stands for itself does as its reader's system does.
LOOKS = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with the words of its form."""

    connector: Connector
    module: SubscribeModule

    @property
    def stamps(self) -> Stamps:
        """Return what makes and reads the stamps of this shop's forms."""
        return Stamps(services().deployment.secret_key, self.connector.cart_key or "")

    @property
    def thanks(self) -> str:
        """Return what everybody reads who has sent the form, whatever became of it."""
        return self.module.check_mail if self.module.double_opt_in else self.module.thanks

    @property
    def go_to(self) -> str:
        """Return where a visitor goes from the form, "" for nowhere: who has yet to confirm is told so first."""
        return "" if self.module.double_opt_in else self.module.go_to


def shop_of(key: str) -> Shop | None:
    """Return the shop that is called by this key, None where nobody is or its form is off."""
    connector = connector_of(key)
    shop = shop_with(connector) if connector is not None else None
    return shop if shop is not None and shop.module.enabled else None


def shop_with(connector: Connector) -> Shop:
    """Return a connector's shop, whether its form is on or off."""
    return Shop(connector, services().modules(connector).subscribe)


def look() -> str:
    """Return how the frame around the page wants it to look, "" where there is none."""
    wanted = request.args.get("frame", "")
    return wanted if wanted in LOOKS else ""


def page(template: str, shop: Shop | None, status: int = 200, *, framed: bool = False, **values: object) -> Response:
    """Return a page in a shop's words and language; only one that is `framed` may stand in the shop's own pages."""
    facts = shop.connector.store_facts if shop is not None else {}
    words = shop.module if shop is not None else SubscribeModule()
    language = str(facts.get("locale") or "en").replace("_", "-")
    name = str(facts.get("name") or "")
    html = render_template(template, words=words, look=look(), language=language, shop_name=name, **values)
    answer = make_response(html, status)
    frames = _written(homes(shop.connector)) if shop is not None and framed else []
    # Browsers hold the whole way of redirects after a form against the policy.
    targets = _written({origin_of(words.go_to)}) if words.go_to else []
    answer.headers["Content-Security-Policy"] = policy(frames, targets)
    return answer


def closed() -> Response:
    """Return the page that stands where no form is."""
    return page("subscribe/closed.html", None, 404)


def _written(origins: set[Origin]) -> list[str]:
    return sorted(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}" for scheme, host, port in origins)
