"""The script that draws the subscribe form in a shop's page, and the lines that bring the form there."""

from __future__ import annotations

from html import escape

from integration.settings import SubscribeModule
from integration.shop_lines import FOLDER, in_php, tag, with_config
from integration.subscriptions.stamps import FASTEST_S

SOURCE, MINIFIED = FOLDER / "subscribe.js", FOLDER / "subscribe.min.js"
#: With a wording of four lines and both mistakes, in pixels.
FRAME_HEIGHT, FRAME_HEIGHT_WITH_NAMES = 380, 560
OFF = "/* The subscribe form is switched off. */\n"


def script(module: SubscribeModule, url: str) -> str:
    """Return the script of a connector whose form is at `url`; where the form is off it does nothing."""
    if not module.enabled:
        return OFF
    config = {
        "url": url,
        "names": module.names,
        "text": module.consent_text,
        "email": module.email_label,
        "first": module.first_name_label,
        "last": module.last_name_label,
        "button": module.button,
        "later": module.later,
        "wait": FASTEST_S * 1000,
    }
    return with_config(MINIFIED, config)


def frame_line(module: SubscribeModule, url: str) -> str:
    """Return the line that shows the form in a frame, also where scripts are forbidden; `url` is the form's."""
    height = FRAME_HEIGHT_WITH_NAMES if module.names else FRAME_HEIGHT
    size = f'width="100%" height="{height}" style="border:0"'
    return f'<iframe src="{url}?frame=light" title="{escape(module.button)}" {size} loading="lazy"></iframe>'


def script_lines(module: SubscribeModule, url: str) -> str:
    """Return the place for the form with a link for browsers without scripts, and the script that draws it there."""
    return f"{_place(module, url)}\n{tag(f'{url}.js')}"


def wordpress_snippet(module: SubscribeModule, url: str) -> str:
    """Return PHP for a snippets plugin or functions.php: [mautic_woo_subscribe] then draws the form anywhere."""
    return _SNIPPET.format(url=in_php(url), place=in_php(_place(module, url)))


def _place(module: SubscribeModule, url: str) -> str:
    return f'<div data-woo-mautic-subscribe><a href="{url}">{escape(module.button)}</a></div>'


_SNIPPET = """\
add_shortcode( 'mautic_woo_subscribe', function () {{
\t$how = array( 'strategy' => 'async', 'in_footer' => true );
\twp_enqueue_script( 'woo-mautic-subscribe', '{url}.js', array(), null, $how );
\treturn '{place}';
}} );
"""
