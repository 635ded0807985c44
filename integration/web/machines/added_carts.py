"""What a browser has had put into its cart by an address that adds: a second click would add it again.

Only such addresses need it, where the shop has no script of ours and no WooCommerce 10 (storefront:091). The cookie is
ours and signed, tells nothing but the numbers of carts, and lasts as long as the shop keeps a guest's cart. Who takes
no cookies gets the item again.
"""

from __future__ import annotations

from datetime import timedelta

from flask import request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from integration.web.frame.services import services

COOKIE, PATH = "woo-mautic-added", "/recover"
#: So long the shop keeps a guest's cart (storefront:082).
LASTS = timedelta(hours=48)
#: A cookie holds no more than so many carts, the newest.
CARTS_MAX = 20


def knows(cart_id: int) -> bool:
    """Tell whether the browser that asks has got the item of a cart added lately."""
    return cart_id in _carts()


def remember(answer: Response, cart_id: int) -> None:
    """Have the browser remember that a cart's item is added with this answer, counted by our own clock."""
    now = int(services().clock.now().timestamp())
    carts = {**_carts(), cart_id: now}
    kept = dict(sorted(carts.items(), key=lambda row: row[1])[-CARTS_MAX:])
    answer.set_cookie(
        COOKIE,
        _signer().dumps(list(kept.items())),
        max_age=LASTS,
        path=PATH,
        secure=services().base_url.startswith("https://"),
        httponly=True,
        # A click in a mail comes from elsewhere: "Strict" would keep the cookie back.
        samesite="Lax",
    )


def _carts() -> dict[int, int]:
    """Return cart id -> second in which its item was added, of those that the shop still keeps."""
    since = (services().clock.now() - LASTS).timestamp()
    try:
        rows = _signer().loads(request.cookies.get(COOKIE, ""))
    except BadSignature:
        return {}
    return {number: at for number, at in rows if at > since}


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(services().deployment.secret_key, salt="carts added")
