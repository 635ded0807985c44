"""Answers that are pages or lead to one, with the headers and cookies WordPress sends."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from integration.sandbox.store.http_messages import HTML, ApiAnswer
from integration.sandbox.store.listing import api_link
from integration.sandbox.store.storefront import sessions, templates
from integration.sandbox.store.storefront.scenes import Scene

Headers = list[tuple[str, str]]
ASSETS = "/wp-content/themes/demo/"
THEME = "wp-embed-responsive wp-theme-twentytwentyfive theme-twentytwentyfive"
BLOCKS = "woocommerce-uses-block-theme woocommerce-block-theme-has-button-styles woocommerce-no-js"
FRAMED = [("X-Frame-Options", "SAMEORIGIN"), ("Content-Security-Policy", "frame-ancestors 'self';")]


@dataclass(frozen=True)
class Sheet:
    """What kind of page it is.

    `number` is WordPress' id of the page, `is_fresh` when no cache may keep it, `is_framed` when no other site may
    frame it, `is_hidden` from search engines; `kind` are further classes of the body.
    """

    template: str
    title: str
    heading: str = ""
    status: int = 200
    number: int = 0
    kind: str = ""
    is_fresh: bool = True
    is_framed: bool = False
    is_hidden: bool = False


def page(scene: Scene, sheet: Sheet, **values: Any) -> ApiAnswer:
    """Return a page; its cookies are those of the cart as it is now."""
    common = _common(scene, sheet)
    body = templates.fill(sheet.template, **common, **values)
    headers = [*_fresh(scene, sheet.is_fresh), *(FRAMED if sheet.is_framed else []), *_links(scene, sheet)]
    headers += [("X-Robots-Tag", "noindex")] if sheet.is_hidden else []
    headers += [("Content-Security-Policy", scene.settings.csp)] if scene.settings.csp else []
    return ApiAnswer(sheet.status, body.encode(), [*headers, *cookies(scene)], HTML, is_page=True)


def _common(scene: Scene, sheet: Sheet) -> dict[str, Any]:
    account = scene.account
    return {
        "title": sheet.title.replace("{shop}", scene.state.title),
        "heading": sheet.heading,
        "body_class": " ".join(filter(None, _classes(sheet))),
        "home": scene.home,
        "root": scene.request.root,
        "shop": scene.state.title,
        "version": scene.state.version,
        "account": account.email if account else "",
        "pieces": sum(line.item.quantity for line in scene.cart.totals.lines),
        "notices": scene.take_notices(),
        "owner_script": Markup(scene.settings.script),
        "asset": lambda name: f"{scene.home}{ASSETS}{name}",
    }


def _classes(sheet: Sheet) -> list[str]:
    own = f"wp-singular page-template-default page page-id-{sheet.number}" if sheet.number else ""
    return ["error404" if sheet.status == 404 else own, THEME, sheet.kind, BLOCKS]


def _links(scene: Scene, sheet: Sheet) -> Headers:
    if not sheet.number:
        return [api_link(scene.request)]
    json = f'<{scene.request.root}/wp/v2/pages/{sheet.number}>; rel="alternate"; title="JSON"; type="application/json"'
    short = f"<{scene.home}/?p={sheet.number}>; rel=shortlink"
    return [api_link(scene.request), ("Link", json), ("Link", short)]


def _fresh(scene: Scene, is_fresh: bool) -> Headers:
    if not is_fresh:
        return []
    kept = "no-cache, must-revalidate, max-age=0, " + ("private" if scene.state.is_ten else "no-store, private")
    return [("Expires", "Wed, 11 Jan 1984 05:00:00 GMT"), ("Cache-Control", kept)]


def redirect(scene: Scene, address: str, is_fresh: bool = True) -> ApiAnswer:
    """Return the way to another page, an address at the shop or elsewhere."""
    headers = [*_fresh(scene, is_fresh), ("X-Redirect-By", "WordPress"), ("Location", address)]
    scene.keep_notices()
    return ApiAnswer(302, b"", [*headers, *cookies(scene)], HTML, is_page=True)


def ajax(scene: Scene, body: Any, kind: str) -> ApiAnswer:
    """Return the answer of a wc-ajax call: JSON or a piece of HTML (storefront:146 to storefront:151)."""
    headers = [("X-Content-Type-Options", "nosniff"), ("X-Robots-Tag", "noindex"), *_fresh(scene, True)]
    return ApiAnswer(200, body, [*headers, *cookies(scene)], kind, is_page=True)


def cookies(scene: Scene) -> Headers:
    """Return the cookies of a page: those scripts can read when the cart changed, and that of a session that starts."""
    cart_hash = scene.cart.hash
    made = sessions.cart_cookies(scene.state, scene.request, cart_hash)
    if (cart_hash or scene.starts) and not scene.visit.has_cookie:
        made.append(sessions.session_cookie(scene.state, scene.request, scene.visit.session))
    return made


def asset(name: str) -> ApiAnswer | None:
    """Return a script or style sheet of the pages, None when there is no such file."""
    kinds = {each.name: each for each in templates.FOLDER.iterdir() if each.suffix in (".js", ".css")}
    if name not in kinds:
        return None
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    return ApiAnswer(
        200, kinds[name].read_bytes(), [("Cache-Control", "no-cache")], f"{kind}; charset=utf-8", is_page=True
    )
