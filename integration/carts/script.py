"""The script that a shop's pages load, and the lines that bring it there."""

from __future__ import annotations

from integration.mapping.cart_orders import CONSENT_FIELD
from integration.settings import CartModule
from integration.shop_lines import FOLDER, in_php, with_config

SOURCE, MINIFIED = FOLDER / "carts.js", FOLDER / "carts.min.js"
OFF = "/* Abandoned Cart is switched off. */\n"


def script(module: CartModule, url: str) -> str:
    """Return the script of a connector whose captures go to `url`; where nothing is captured it does nothing."""
    if not module.captures:
        return OFF
    config = {"url": url, "box": not module.silent, "text": module.box_text}
    return with_config(MINIFIED, config)


def wordpress_snippet(module: CartModule, url: str) -> str:
    """Return PHP for a snippets plugin or functions.php: it prints the line and, where consent is asked, the box.

    WooCommerce draws the box in the block checkout itself and keeps the answer with the order, so that a draft tells
    the consent without the script (storefront.md, "The checkout pages for a script author").
    """
    box = "" if module.silent else _BOX.format(field=CONSENT_FIELD, text=in_php(module.box_text))
    return _SNIPPET.format(url=in_php(url)) + box


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
