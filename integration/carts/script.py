"""The script that a shop's pages load, and the lines that bring it there."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from integration.mapping.cart_orders import CONSENT_FIELD
from integration.settings import CartModule

FOLDER = Path(__file__).parents[2] / "static" / "shop"
SOURCE, MINIFIED = FOLDER / "carts.js", FOLDER / "carts.min.js"
#: What stands in the script for a connector's own values.
PLACE = "WOO_MAUTIC_CONFIG"
OFF = "/* Abandoned Cart is switched off. */\n"


def script(module: CartModule, url: str) -> str:
    """Return the script of a connector whose captures go to `url`; where nothing is captured it does nothing."""
    if not module.enabled or not (module.box or module.silent):
        return OFF
    config = {"url": url, "box": not module.silent, "text": module.box_text}
    return _minified().replace(PLACE, _in_script(config))


def etag(text: str) -> str:
    """Return what changes when the script does."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def tag(url: str) -> str:
    """Return the one line for the pages of a shop; `url` is the script's."""
    return f'<script async src="{url}"></script>'


def wordpress_snippet(module: CartModule, url: str) -> str:
    """Return PHP for a snippets plugin or functions.php: it prints the line and, where consent is asked, the box.

    WooCommerce draws the box in the block checkout itself and keeps the answer with the order, so that a draft tells
    the consent without the script (storefront.md, "The checkout pages for a script author").
    """
    box = "" if module.silent else _BOX.format(field=CONSENT_FIELD, text=_in_php(module.box_text))
    return _SNIPPET.format(url=_in_php(url)) + box


@cache
def _minified() -> str:
    return MINIFIED.read_text(encoding="utf-8")


def _in_script(config: dict[str, object]) -> str:
    """Return JSON that is a JavaScript literal wherever it stands, in a file or between script tags."""
    text = json.dumps(config, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _in_php(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


_SNIPPET = """\
add_action( 'wp_enqueue_scripts', function () {{
\twp_enqueue_script( 'woo-mautic-carts', '{url}', array(), null, array( 'strategy' => 'async', 'in_footer' => true ) );
}} );
"""
_BOX = """\
add_action( 'woocommerce_init', function () {{
\tif ( function_exists( 'woocommerce_register_additional_checkout_field' ) ) {{
\t\twoocommerce_register_additional_checkout_field( array(
\t\t\t'id'       => '{field}',
\t\t\t'label'    => '{text}',
\t\t\t'location' => 'contact',
\t\t\t'type'     => 'checkbox',
\t\t) );
\t}}
}} );
"""
