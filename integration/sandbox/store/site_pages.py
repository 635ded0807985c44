"""What is not the API: the front page, pages that are not found, the key-granting page, and the API's own index."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from integration.sandbox.store import rest_format
from integration.sandbox.store.http_messages import HTML, ApiAnswer, ApiRequest
from integration.sandbox.store.listing import api_link
from integration.sandbox.store.routes import Route
from integration.sandbox.store.state import State

OWN = ("oembed/1.0", "wp/v2", "wp-site-health/v1", "wp-block-editor/v1", "wp-abilities/v1")
# In the sequence of woo:427.
SHOP = (
    "wc/v3",
    "wc/v1",
    "jetpack/v4",
    "wc-admin",
    "wc-analytics",
    "wc/store",
    "wc/store/v1",
    "wc/private",
    "wc/v2",
    "wc-admin-email",
    "wc-telemetry",
    "wccom-site/v3",
)
PAGE = """<!DOCTYPE html>
<html lang="en-US">
<head>
\t<meta charset="UTF-8" />
\t<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>{title}</title>
<link rel="https://api.w.org/" href="{api}" />
</head>
<body class="home"><p>{text}</p></body>
</html>
"""


def page(state: State, request: ApiRequest, coming_soon: bool = False) -> ApiAnswer:
    """Return the front page; its Link header says where the API is (woo:211, woo:415 and woo:423)."""
    text = "Great things are on the horizon." if coming_soon else "Welcome to the demo shop."
    return _html(state, request, 200, f"{state.title} &#8211; demo shop", text)


def not_found(state: State, request: ApiRequest) -> ApiAnswer:
    """Return the shop's HTML page for an address that leads nowhere (woo:212)."""
    return _html(state, request, 404, f"Page not found &#8211; {state.title}", "This page could not be found.")


def _html(state: State, request: ApiRequest, status: int, title: str, text: str) -> ApiAnswer:
    made = PAGE.format(title=title, api=f"{request.root}/", text=text).encode()
    return ApiAnswer(status, made, [api_link(request)], HTML)


def index(state: State, request: ApiRequest, routes: tuple[Route, ...], plugin_off: bool) -> ApiAnswer:
    """Return `/wp-json/`: name, time zone, namespaces and routes (woo:001, woo:424, woo:427 and woo:461)."""
    namespaces = list(OWN) if plugin_off else [OWN[0], *SHOP, *OWN[1:]]
    offset = datetime.fromtimestamp(state.now(), state.zone).utcoffset()
    hours = offset.total_seconds() / 3600 if offset else 0
    whole = {
        "name": state.title,
        "description": "demo shop",
        "url": request.home,
        "home": request.home,
        "gmt_offset": rest_format.whole(hours),
        "timezone_string": str(state.zone),
        "page_for_posts": 0,
        "page_on_front": 0,
        "show_on_front": "posts",
        "namespaces": namespaces,
        "authentication": [],
        "routes": {"/": {"namespace": "", "methods": ["GET"]}} | ({} if plugin_off else listed(routes)),
        "site_logo": 0,
        "site_icon": 0,
        "site_icon_url": "",
        "_links": {"help": [{"href": "https://developer.wordpress.org/rest-api/"}]},
    }
    return ApiAnswer(200, rest_format.pick(whole, request.fields), [api_link(request)])


def listed(routes: tuple[Route, ...]) -> dict[str, Any]:
    """Return the routes as an index shows them."""
    own = {"/wc/v3": {"namespace": "wc/v3", "methods": ["GET"]}}
    return own | {route.pattern: {"namespace": "wc/v3", "methods": route.verbs} for route in routes}


def namespace(request: ApiRequest, routes: tuple[Route, ...]) -> ApiAnswer:
    """Return `/wp-json/wc/v3` (woo:002)."""
    found = {"up": [{"href": f"{request.root}/"}]}
    return ApiAnswer(200, {"namespace": "wc/v3", "routes": listed(routes), "_links": found}, [api_link(request)])


def grant(request: ApiRequest) -> ApiAnswer:
    """Return the key-granting page: to the login, or a refusal of a plain callback (woo:462 and woo:463)."""
    if not str(request.query.get("callback_url", "")).startswith("https://"):
        text = "Error: The callback_url needs to be over SSL."
        body = {"code": "wp_die", "message": text, "data": {"status": 401}, "additional_errors": []}
        return ApiAnswer(401, body)
    names = ("app_name", "user_id", "return_url", "callback_url", "scope")
    query = rest_format.build_query({name: request.query.get(name, "") for name in names})
    headers = [("X-Redirect-By", "WordPress"), ("Location", f"{request.home}/wc-auth/v1/login/?{query}")]
    return ApiAnswer(302, b"", headers, HTML)
