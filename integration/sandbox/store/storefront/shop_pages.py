"""The pages before the checkout: the shop, a product, the cart, the account, and what is not found."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from integration.sandbox.store import documents, money
from integration.sandbox.store.http_messages import HTML, ApiAnswer
from integration.sandbox.store.people import Person
from integration.sandbox.store.storefront import adding, carts, choices, prices, review, sessions, templates
from integration.sandbox.store.storefront.notices import refused
from integration.sandbox.store.storefront.rendering import Sheet, cookies, page
from integration.sandbox.store.storefront.scenes import Scene

CART, ACCOUNT = 6, 8
NOT_FOUND = Sheet("page.html", "Page not found – {shop}", "Page not found", 404)
CART_SHEET = Sheet("cart.html", "Cart – {shop}", "Cart", 200, CART, "woocommerce-cart woocommerce-page", True)
ACCOUNT_SHEET = Sheet("account.html", "My account – {shop}", "My account", 200, ACCOUNT, "woocommerce-account")


def shop(scene: Scene, title: str, is_front: bool = False) -> ApiAnswer:
    """Return the list of all products."""
    fresh = "add-to-cart" in scene.args
    sheet = Sheet("shop.html", title, "Shop", kind="home" if is_front else "archive woocommerce-shop", is_fresh=fresh)
    sold = [each for each in scene.state.products.values() if each["type"] in ("simple", "variable")]
    shown = [_card(scene, each) for each in sold if each["status"] == "publish"]
    return page(scene, sheet, products=shown)


def _card(scene: Scene, product: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": product["id"],
        "name": templates.name(str(product["name"])),
        "type": product["type"],
        "link": f"{scene.home}{product['path']}",
        "price": Markup(prices.product_html(scene.state, product)),
        "in_stock": carts.in_stock(product),
    }


def product(scene: Scene) -> ApiAnswer:
    """Return the page of the product at the request's path."""
    here = (each for each in scene.state.products.values() if each["path"] == scene.request.path)
    found = next((each for each in here if each["status"] == "publish"), None)
    if found is None:
        return not_found(scene)
    fresh = "add-to-cart" in scene.args
    sheet = Sheet(
        "product.html", str(found["name"]) + " – {shop}", str(found["name"]), kind="single-product", is_fresh=fresh
    )
    described = Markup(found["description"])
    return page(scene, sheet, product=_card(scene, found), description=described, options=_options(scene, found))


def _options(scene: Scene, product: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """Return what there is to choose: names and labels of the attributes, and their values as links have them."""
    state = scene.state
    children = [found for number in product["variations"] if (found := state.product(number))]
    shown: dict[str, tuple[str, dict[str, str]]] = {}
    for child in children:
        fixed = choices.fixed_choices(child)
        for name in (*fixed, *choices.free(product, child)):
            _, values = shown.setdefault(name, (choices.label(product, child, name), {}))
            wanted = [fixed[name]] if name in fixed else _every_value(product, name)
            values.update({value: choices.value_shown(product, child, name, value) for value in wanted})
    return [(name, label, values) for name, (label, values) in shown.items()]


def _every_value(product: dict[str, Any], name: str) -> list[str]:
    own = (each for each in product["attributes"] if choices.PREFIX + choices.slug(each) == name)
    return [str(option) for each in own for option in each["options"]]


def cart(scene: Scene) -> ApiAnswer:
    """Return the cart's page; a link that failed has its reason in wc_error (storefront:115)."""
    if scene.args.get("wc_error"):
        scene.notices.append(refused(scene.args["wc_error"]))
    scene.notices += [refused(error["message"]) for error in scene.cart.settle()]
    made = scene.cart.totals
    nonce = sessions.nonce(scene.state, action=adding.CART_NONCE)
    lines = [
        {
            "key": line.key,
            "name": adding.title(scene, line.product),
            "quantity": line.item.quantity,
            "price": templates.price(scene.state, money.amount(line.product["price"])),
            "subtotal": templates.price(scene.state, line.subtotal),
        }
        for line in made.lines
    ]
    return page(scene, CART_SHEET, lines=lines, nonce=nonce, totals=review.totals_table(scene.state, made))


def account(scene: Scene) -> ApiAnswer:
    """Return the account's page with the demo's login."""
    return page(scene, ACCOUNT_SHEET, login_form=templates.fill("login.html"))


def not_found(scene: Scene) -> ApiAnswer:
    """Return the shop's page for an address that leads nowhere (storefront:081)."""
    return page(scene, NOT_FOUND, text="This page could not be found.")


def login(scene: Scene) -> ApiAnswer | None:
    """Log in or out as asked by ?login= with an account's number, 0 for out, or by a form with name or e-mail.

    None when nothing is asked, or when nobody is known by that; then a notice says so.
    """
    number = scene.request.query.get("login")
    if number is None and "username" not in scene.form:
        return None
    found = int(number) if number is not None and str(number).isdigit() else _number(scene)
    if found is None or (found and found not in scene.state.people):
        scene.notices.append(refused("<strong>Error:</strong> There is no such customer."))
        return None
    if found and not scene.account:
        sessions.take_along(scene.state, scene.visit.session, found)
    path = scene.request.path if number is not None else scene.request.target
    cookie = sessions.login_cookie(scene.state, scene.request, found) if found else sessions.logout_cookie(scene.state)
    return ApiAnswer(302, b"", [("Location", scene.home + path), cookie, *cookies(scene)], HTML, is_page=True)


def _number(scene: Scene) -> int | None:
    name = scene.form.get("username", "").strip().lower()
    people = scene.state.people.values()
    known = (each for each in people if name and name in (each.email.lower(), _username(each)))
    return next((each.id for each in known), None)


def _username(person: Person) -> str:
    return str(documents.of_person(person)["username"]).lower()
