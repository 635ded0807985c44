"""The two checkout pages as they are served, and the calls of the classic one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from storefront_keys import Keys
from storefront_pages import Visitor, missing, tokens
from storefront_recordings import HOME, comparable, recording
from storefront_shopper import API, compare

from integration.sandbox.store import StoreServer, documents
from integration.sandbox.store.coupon_defaults import blank_coupon

HELD = (140, *range(145, 152))
ANY_SETTING = (
    "Unknown setting: nothing. Use one of firewall, rate_limit, csp, script, has_reminder_field, fields_after."
)
SCRIPT = '<script async src="https://app.test/cart.js"></script>'


@pytest.fixture
def visitor(titled: StoreServer) -> Visitor:
    """Return a visitor with a piece of coffee in the cart."""
    made = Visitor(titled)
    made.send("GET", "/?add-to-cart=13")
    return made


def _get(visitor: Visitor, path: str) -> str:
    return visitor.send("GET", path, headers={"Cookie": visitor.cookie}).text


def _params(page: str) -> dict[str, str]:
    """Return wc_checkout_params of a classic page."""
    read: dict[str, str] = json.loads(page.partition("var wc_checkout_params = ")[2].partition(";\n")[0])
    return read


def _place_nonce(page: str) -> str:
    return page.partition('name="woocommerce-process-checkout-nonce" value="')[2][:10]


def test_the_block_checkout_has_its_draft_and_no_field_in_its_html(visitor: Visitor) -> None:
    page = visitor.hold(140).text

    settings = json.loads(page.partition("var wcSettings = ")[2].partition(";\n</script>")[0])
    row = visitor.server.state.order(settings["checkoutData"]["order_id"])
    assert (row.status, row.email) == ("checkout-draft", "")
    assert "<input" not in page
    assert settings["wcVersion"] == "9.9.5"


def test_the_classic_checkout_has_its_fields_in_its_html(visitor: Visitor) -> None:
    page = visitor.hold(145).text

    assert page.rindex("billing_phone_field") < page.rindex("billing_email_field")
    assert not [row for row in visitor.server.state.orders if row.status == "checkout-draft"]


def test_the_calls_of_the_classic_checkout(visitor: Visitor, keys: Keys) -> None:
    server = visitor.server
    visitor.send("GET", "/?add-to-cart=49", headers={"Cookie": visitor.cookie})
    page = _get(visitor, "/checkout-classic/")
    params, nonce = _params(page), _place_nonce(page)
    _bound_coupon(server)

    reply = visitor.open(146, security=params["update_order_review_nonce"])

    visitor.hold_headers(146, reply)
    _compare_review(visitor, reply.json)
    compare(server, recording(147), visitor.send("GET", f"{API}/cart", headers={"Cookie": visitor.cookie}))
    visitor.hold(148, security=params["apply_coupon_nonce"])
    assert visitor.server.state.sessions[_session(visitor)].email == "anna@example.com"
    keys.follow(149)
    server.state.counters["post"] = 2230
    for number in (150, 151):
        _compare_placing(visitor, number, nonce)
    document = documents.of_order(server.state, server.state.order(2231))
    assert (document["created_via"], document["billing"]["email"]) == ("checkout", "anna@example.com")


def _bound_coupon(server: StoreServer) -> None:
    number = server.state.next_id("post")
    fields = {"amount": "10.00", "discount_type": "percent", "email_restrictions": ["anna@example.com"]}
    server.state.coupons[number] = blank_coupon(number, "RECOVER-CLASS1", server.state.now()) | fields


def _session(visitor: Visitor) -> str:
    return next(value for name, value in visitor.jar.items() if name.startswith("wp_woo")).partition("%7C")[0]


def _compare_review(visitor: Visitor, ours: dict[str, Any]) -> None:
    """Compare the review: its recorded text breaks off in the middle of a string."""
    recorded = recording(146).response["body"].rpartition('order-table":"')[2]
    theirs = json.loads(f'"{re.sub(r"[^>]*$", "", recorded)}"')
    review = ours["fragments"].pop(".woocommerce-checkout-review-order-table")
    assert not (lost := missing(tokens(review, visitor.server.url), tokens(theirs))), lost
    assert list(ours["fragments"]) == [".woocommerce-checkout-payment"]
    del ours["fragments"]
    assert ours == {"result": "success", "messages": "", "reload": False}


def _compare_placing(visitor: Visitor, number: int, nonce: str) -> None:
    reply = visitor.open(number, nonce=nonce)
    ours, theirs = comparable(reply.json, visitor.server.url), comparable(recording(number).body, HOME)
    visitor.hold_headers(number, reply)
    assert tokens(ours.pop("messages", "")) == tokens(theirs.pop("messages", ""))
    assert ours == theirs


def test_placing_names_every_field_that_is_wrong(visitor: Visitor) -> None:
    nonce = _place_nonce(_get(visitor, "/checkout-classic/"))
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": visitor.cookie}
    body = f"billing_first_name=Anna&billing_country=IT&billing_email=x&woocommerce-process-checkout-nonce={nonce}"

    reply = visitor.send("POST", "/?wc-ajax=checkout", body, kind)

    named = re.findall(r'data-id="(\w+)"', reply.json["messages"])
    expected = ["last_name", "address_1", "postcode", "city", "email"]
    assert (reply.json["result"], named) == ("failure", [f"billing_{name}" for name in expected])
    assert "Invalid payment method" in reply.json["messages"]


def test_calls_without_their_nonce_do_nothing(visitor: Visitor) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": visitor.cookie}
    for name in ("update_order_review", "apply_coupon", "remove_coupon"):
        reply = visitor.send("POST", f"/?wc-ajax={name}", "security=nope&coupon_code=x", kind)
        assert (reply.status, reply.text) == (403, "-1")
    reply = visitor.send("POST", "/?wc-ajax=checkout", "billing_email=anna@example.com", kind)
    assert reply.json["result"] == "failure"


def test_who_is_logged_in_finds_the_e_mail_on_both_pages(visitor: Visitor) -> None:
    number = visitor.server.shop.register_customer(email="maria@example.com", username="maria")["id"]
    reply = visitor.send("GET", f"/shop/?login={number}", headers={"Cookie": visitor.cookie})
    assert (reply.status, reply.header("Location")) == (302, f"{visitor.server.url}/shop/")

    assert '"email":"maria@example.com"' in _get(visitor, "/checkout/")
    assert 'value="maria@example.com"' in _get(visitor, "/checkout-classic/")
    assert f'"currentUserId":{number}' in _get(visitor, "/checkout/")
    assert "There is no such customer" in _get(visitor, "/my-account/?login=999999")
    visitor.send("GET", "/my-account/?login=0", headers={"Cookie": visitor.cookie})
    assert "username" in _get(visitor, "/my-account/")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert visitor.send("POST", "/my-account/", "username=maria&login_submit=1", kind).status == 302
    assert "You are logged in as maria@example.com" in _get(visitor, "/my-account/")


def test_the_owner_s_script_and_the_host_s_csp_are_on_every_page(visitor: Visitor) -> None:
    visitor.server.storefront.script = SCRIPT
    visitor.server.storefront.csp = "script-src 'self'"
    paths = ("/", "/shop/", "/product/caffe-arabica-250-g/", "/cart/", "/checkout/", "/checkout-classic/", "/nowhere/")
    for path in paths:
        reply = visitor.send("GET", path, headers={"Cookie": visitor.cookie})
        assert SCRIPT in reply.text.partition("</head>")[0], path
        assert ("Content-Security-Policy", "script-src 'self'") in reply.headers, path


def test_the_cart_s_page_changes_quantities_only_with_its_nonce(visitor: Visitor) -> None:
    page = _get(visitor, "/cart/")
    key = re.findall(r"cart\[(\w+)\]", page)[0]
    nonce = page.partition('name="woocommerce-cart-nonce" value="')[2][:10]
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": visitor.cookie}

    def pieces(nonce: str, count: int) -> list[int]:
        body = f"cart%5B{key}%5D%5Bqty%5D={count}&update_cart=1&woocommerce-cart-nonce={nonce}"
        visitor.send("POST", "/cart/", body, kind)
        cart = visitor.send("GET", f"{API}/cart", headers={"Cookie": visitor.cookie}).json
        return [item["quantity"] for item in cart["items"]]

    assert pieces("0123456789", 3) == [1]
    assert pieces(nonce, 3) == [3]
    assert pieces(nonce, 0) == []


def test_a_product_with_choices_is_added_by_its_form(visitor: Visitor) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": visitor.cookie}
    path = "/product/t-shirt-citta/"
    assert 'name="attribute_colore"' in _get(visitor, path)

    reply = visitor.send("POST", path, "add-to-cart=48&attribute_taglia=L&attribute_colore=blu&quantity=2", kind)

    assert "has been added" in reply.text or "have been added" in reply.text
    cart = visitor.send("GET", f"{API}/cart", headers={"Cookie": visitor.cookie}).json
    assert (cart["items"][1]["id"], cart["items"][1]["quantity"]) == (51, 2)


def test_the_settings_can_be_changed_from_another_process(visitor: Visitor) -> None:
    kind = {"Content-Type": "application/json"}

    def change(values: Any) -> tuple[int, Any]:
        reply = visitor.send("POST", "/_sandbox/storefront", values, kind)
        return reply.status, reply.json

    status, shown = change({"script": SCRIPT, "fields_after": 2, "rate_limit": None})
    assert (status, shown["script"], shown["fields_after"]) == (200, SCRIPT, 2)
    assert SCRIPT in _get(visitor, "/shop/")
    assert change({"script": "", "nothing": 1}) == (400, {"error": ANY_SETTING})
    assert change({"firewall": 1}) == (400, {"error": "firewall must be bool."})
    assert change({"rate_limit": True})[0] == 400
    assert visitor.send("GET", "/_sandbox/storefront").json["script"] == SCRIPT
