"""A request for a page in hand: whose it is, what it asks, and what the shopper is going to be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from markupsafe import Markup

from integration.sandbox.store.http_messages import ApiRequest
from integration.sandbox.store.people import Person
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import sessions
from integration.sandbox.store.storefront.carts import Cart
from integration.sandbox.store.storefront.notices import Notice
from integration.sandbox.store.storefront.sessions import Visit
from integration.sandbox.store.storefront.settings import Settings


@dataclass
class Scene:
    """A request with its visit; `starts` once the visitor's session is to be kept though the cart is empty."""

    state: State
    settings: Settings
    request: ApiRequest
    visit: Visit
    notices: list[Notice] = field(default_factory=list)
    starts: bool = False

    @property
    def cart(self) -> Cart:
        """Return the visitor's cart."""
        return Cart(self.state, self.visit.session)

    @cached_property
    def form(self) -> dict[str, str]:
        """Return what a form sent, nothing for other bodies."""
        if "form-urlencoded" not in self.request.headers.get("content-type", ""):
            return {}
        return dict(parse_qsl(self.request.body.decode("utf-8", "replace"), keep_blank_values=True))

    @cached_property
    def args(self) -> dict[str, str]:
        """Return query and form in one, the form first, as PHP's $_REQUEST; names keep their brackets."""
        return dict(self.request.pairs) | self.form

    @property
    def home(self) -> str:
        """Return the shop's address, without a slash at the end."""
        return self.request.home

    @property
    def account(self) -> Person | None:
        """Return who is logged in."""
        return self.state.people.get(sessions.logged_in(self.state, self.request))

    def start(self) -> None:
        """Keep the visitor's session from now on."""
        sessions.keep(self.state, self.visit.session)
        self.starts = True

    def keep_notices(self) -> None:
        """Leave the notices for the next page; a guest without a session never sees them (storefront:086)."""
        self.visit.session.notices = [[each.kind, str(each.text)] for each in self.notices]

    def take_notices(self) -> list[Notice]:
        """Return the notices of this page and those that an earlier one left."""
        left = [Notice(kind, Markup(text)) for kind, text in self.visit.session.notices]
        self.visit.session.notices = []
        return [*left, *self.notices]
