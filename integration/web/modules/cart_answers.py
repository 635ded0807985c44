"""Why no cart reaches Mautic, for the pages on which somebody looks for one."""

from __future__ import annotations

from integration.models.connector import Connector
from integration.queries import cart_reasons
from integration.queries.cart_reasons import Reason
from integration.web.frame.services import services


def why_none(connector: Connector) -> list[Reason]:
    """Return what keeps the carts of a connector from Mautic now, [] when nothing does."""
    module, now, url = services().modules(connector).carts, services().clock.now(), services().base_url
    with services().db.read() as session:
        return cart_reasons.reasons(session, now, connector, module, url)
