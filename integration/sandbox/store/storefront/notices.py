"""What the shop tells a shopper at the head of a page: done, refused, or to be known."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from integration.sandbox.store.storefront.templates import fill


@dataclass(frozen=True)
class Notice:
    """One notice: `kind` is success, error or info; `problems` are texts with the names of their fields or nothing."""

    kind: str
    text: Markup = field(default_factory=Markup)
    problems: tuple[tuple[Markup, str], ...] = ()

    def html(self) -> Markup:
        """Return the notice as the page shows it."""
        return fill("notice.html", kind=self.kind, text=self.text, items=self.problems)


def refused(text: str) -> Notice:
    """Make the notice of something that was refused; the text is HTML, as WooCommerce's are."""
    return Notice("error", Markup(text))
