"""WooCommerce 10's links that bring a cart back: /checkout-link/ and ?session=."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from integration.sandbox.store.http_messages import ApiAnswer
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.storefront import adding, sessions
from integration.sandbox.store.storefront.notices import refused
from integration.sandbox.store.storefront.rendering import redirect
from integration.sandbox.store.storefront.scenes import Scene

OWN = ("products", "coupon", "session")


def checkout_link(scene: Scene) -> ApiAnswer:
    """Put the products of a link into the cart in place of what is there and go to the checkout (storefront:112).

    What cannot be had is told of as long as something can (storefront:116); when nothing can, the cart's page tells why
    (storefront:115, 117, 118). A coupon that is refused is left out (storefront:113, 119). The last count of a product
    holds (storefront:120). Arguments of others, such as utm_source, go along.
    """
    wanted = _products(scene.args.get("products", ""))
    scene.cart.empty()
    problems = _fill(scene, wanted)
    if scene.cart.is_empty:
        text = problems[0] if problems else "The provided checkout link was out of date or invalid."
        return redirect(scene, f"{scene.home}/cart/?wc_error={quote(text, safe='')}", is_fresh=False)
    scene.notices += [refused(text) for text in problems]
    code = scene.args.get("coupon", "")
    if code:
        adding.apply_coupon(scene, code)
    others = {name: value for name, value in scene.args.items() if name not in OWN}
    query = urlencode({**others, "session": sessions.token(scene.state, scene.visit.session)})
    return redirect(scene, f"{scene.home}/checkout/?{query}", is_fresh=False)


def _products(text: str) -> dict[int, int]:
    wanted = {}
    for part in text.split(","):
        number, _, count = part.partition(":")
        if number.strip().isdigit():
            wanted[int(number)] = int(count) if count.isdigit() and int(count) else 1
    return wanted


def _fill(scene: Scene, wanted: dict[int, int]) -> list[str]:
    problems = []
    for number, count in wanted.items():
        try:
            scene.cart.add(number, count)
        except Refused as fault:
            problems.append(fault.message)
    return problems


def adopt(scene: Scene) -> None:
    """Clone the cart of a guest's Cart-Token into the visitor's session, in place of what is there (storefront:122).

    Who the customer is stays behind, and with it a coupon bound to an e-mail (storefront:135, storefront:136); a token
    of the visitor's own session changes nothing.
    """
    key = sessions.token_key(scene.state, scene.args.get("session", "")) if scene.state.is_ten else ""
    source = scene.state.sessions.get(key)
    is_guest = source is not None and not source.customer_id and source.expires > scene.state.now()
    if source is None or not is_guest or key == scene.visit.session.key:
        return
    scene.cart.replace(source.items, source.coupons)
    scene.notices += [refused(error["message"]) for error in scene.cart.settle()]
