"""What an address or a form asks of the cart: ?add-to-cart= in all its forms, and the buttons of the cart's page."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from integration.sandbox.store import order_building
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.storefront import choices, sessions, templates
from integration.sandbox.store.storefront.notices import Notice, refused
from integration.sandbox.store.storefront.scenes import Scene

CART_NONCE = "woocommerce-cart"
GROUPED = re.compile(r"^quantity\[(\d+)\]$")
LINE = re.compile(r"^cart\[(\w+)\]\[qty\]$")


def act(scene: Scene) -> None:
    """Do to the cart what the request asks, before its page is drawn.

    A coupon needs neither nonce nor what is only then added (storefront:093); the other buttons need the cart's nonce.
    """
    if scene.form.get("apply_coupon") and scene.form.get("coupon_code"):
        apply_coupon(scene, scene.form["coupon_code"].strip())
    _change_lines(scene)
    _add(scene, scene.args.get("add-to-cart", ""))


def apply_coupon(scene: Scene, code: str) -> None:
    """Apply a coupon and tell of it."""
    try:
        scene.cart.apply_coupon(code)
    except Refused as fault:
        scene.notices.append(refused(fault.message))
        return
    scene.notices.append(Notice("success", Markup("Coupon code applied successfully.")))


def _change_lines(scene: Scene) -> None:
    given = scene.args.get("woocommerce-cart-nonce") or scene.args.get("_wpnonce", "")
    if not sessions.is_nonce(scene.state, given, CART_NONCE):
        return
    held = scene.visit.session.items
    if scene.args.get("remove_item", "") in held:
        scene.cart.remove(scene.args["remove_item"])
    if "update_cart" in scene.form:
        asked = {found[1]: value for name, value in scene.form.items() if (found := LINE.match(name))}
        for key, value in asked.items():
            if key in held and value.isdigit():
                _try(scene, lambda key=key, value=value: scene.cart.set_quantity(key, int(value)))


def _try(scene: Scene, change: Any) -> bool:
    try:
        change()
    except Refused as fault:
        scene.notices.append(refused(fault.message))
        return False
    return True


def _add(scene: Scene, text: str) -> None:
    """Add what the argument names; two ids with a comma are no number and do nothing (storefront:084)."""
    product = scene.state.product(int(text)) if text.isdigit() else None
    if product is None:
        return
    if product["type"] == "grouped":
        _add_grouped(scene)
        return
    number = int(scene.args.get("variation_id") or 0) if product["type"] in ("variable", "variation") else 0
    quantity = _pieces(scene.args.get("quantity", "1"))
    chosen = {name: value for name, value in scene.args.items() if name.startswith(choices.PREFIX) and value}
    if _try(scene, lambda: scene.cart.add(number or product["id"], quantity, chosen, by_link=True)):
        _tell(scene, {product["id"]: quantity}, counted=True)


def _add_grouped(scene: Scene) -> None:
    """Add any products by their ids, also such as are not in the group (storefront:092)."""
    asked = {int(found[1]): _pieces(value) for name, value in scene.args.items() if (found := GROUPED.match(name))}
    wanted = {number: count for number, count in asked.items() if count > 0}
    added = {}
    for number, count in wanted.items():
        if _try(scene, lambda number=number, count=count: scene.cart.add(number, count, by_link=True)):
            added[number] = count
    if added:
        _tell(scene, added)


def _pieces(text: str) -> int:
    return int(text) if text.isdigit() else 1


def title(scene: Scene, product: dict[str, Any]) -> Markup:
    """Return a product's title; a variation has what it fixes behind its parent's (storefront:085, storefront:087)."""
    return templates.name(order_building.line_name(scene.state, product))


def _tell(scene: Scene, added: dict[int, int], counted: bool = False) -> None:
    names = []
    for number, count in added.items():
        pieces = Markup("{} &times; ").format(count) if counted and count > 1 else ""
        names.append(Markup("{}&ldquo;{}&rdquo;").format(pieces, title(scene, scene.state.products[number])))
    many = len(names) > 1 or (counted and sum(added.values()) > 1)
    text = Markup(", ").join(names[:-1]) + Markup(" and ") + names[-1] if names[1:] else names[0]
    link = Markup('<a href="{}/cart/" class="button wc-forward wp-element-button">View cart</a>').format(scene.home)
    said = Markup("{} {} been added to your cart. {}").format(text, "have" if many else "has", link)
    scene.notices.append(Notice("success", said))
