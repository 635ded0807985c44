"""The stand-in store on a socket: a real HTTP server that answers as a WooCommerce does."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

import flask
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from integration.clock import Clock
from integration.sandbox.faults import Fault, Rule
from integration.sandbox.server import CONTROL, ROWS, SandboxServer, nginx_page
from integration.sandbox.store import faults, list_faults, rest_format, routes, site_pages
from integration.sandbox.store.auth import Authentication, Credentials
from integration.sandbox.store.http_messages import HTML, ApiAnswer, ApiRequest
from integration.sandbox.store.listing import api_link
from integration.sandbox.store.problems import Refused, no_route
from integration.sandbox.store.shop import Shop
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import calls, site, store_api
from integration.sandbox.store.storefront.drafts import Midnight
from integration.sandbox.store.storefront.settings import Settings
from integration.sandbox.store.webhook_queue import WebhookQueue

MODES = (
    "normal",
    "plain_permalinks",
    "plugin_off",
    "maintenance",
    "coming_soon",
    "rest_disabled",
    "index_shut",
    "index_bare",
    "php_down",
)
# In these the shoppers' pages are there; in the others stands what WordPress shows instead.
STOREFRONT_MODES = ("normal", "rest_disabled", "index_shut", "index_bare")
NOTED = "sandbox.store.rows"
PLAIN = "/index.php?rest_route="
USUAL = (
    ("X-Robots-Tag", "noindex"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
    ),
)
NOBODYS_CACHE = ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private")


class StoreServer(SandboxServer):
    """A shop at `url`; set `mode` to one of MODES.

    Its keys are in `credentials`, its products and people in `state`, its deliveries in `webhook_queue`; what people do
    in it is done by `shop`.

    `faults` are the faults both stand-ins know, `shop_faults` those only a shop has; `storefront` sets up what shoppers
    see. Which WooCommerce it is says `state.version`. Answers are dated by this machine's clock, as by a proxy in front
    of the shop, or with `dates_answers` by the shop's own.
    """

    state: State

    def __init__(
        self,
        port: int = 0,
        save_to: Path | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        zone: str = "Europe/Rome",
    ) -> None:
        self.state = State(clock, zone)
        self.shop = Shop(self.state)
        super().__init__(self.state, port, save_to, tls)
        self.credentials = Credentials()
        self.webhook_queue = WebhookQueue(self.state)
        self.state.listeners.append(self.webhook_queue.enqueue)
        self.shop_faults = faults.ShopFaults()
        self.storefront = Settings()
        self._midnight = Midnight(self.state)
        self._authentication = Authentication(self.credentials)
        self._mode = "normal"
        self.dates_answers = False
        self._inner = self.app.wsgi_app
        self.app.wsgi_app = self._serve  # type: ignore[method-assign]  # Flask's documented way to put a layer around

    @property
    def mode(self) -> str:
        """Return what state the shop is in, one of MODES."""
        return self._mode

    @mode.setter
    def mode(self, name: str) -> None:
        if name not in MODES:
            raise ValueError(f"Unknown mode: {name}. Use one of {', '.join(MODES)}.")
        self._mode = name

    def start(self) -> Self:
        """Load the saved shop, serve, and begin to deliver webhooks."""
        super().start()
        self.state.home = self.url
        self.webhook_queue.start()
        return self

    def stop(self) -> None:
        """Stop delivering and serving, and save the shop."""
        self.webhook_queue.stop()
        super().stop()

    def fault_answer(self, rule: Rule) -> Response:
        """Return what a `status` fault answers: WordPress' fatal error for 500, bare pages else (woo:432, woo:441 to
        woo:446).
        """
        status = int(rule.value)
        if status == 500:
            body = {"code": "internal_server_error", "message": faults.CRITICAL}
            made = rest_format.encode({**body, "data": {"status": 500}, "additional_errors": []})
            return Response(made, 500, content_type="application/json; charset=UTF-8")
        if status in (502, 503, 504):
            return nginx_page(status)
        return _response(faults.plain_status(status))

    def _register_control(self) -> None:
        super()._register_control()
        route = f"{CONTROL}storefront"
        self.app.add_url_rule(route, "storefront", self._control_storefront, methods=["GET", "POST"])

    def _control_storefront(self) -> Any:
        """Tell the storefront's settings; POST changes those in the JSON object sent."""
        if flask.request.method == "POST":
            sent = flask.request.get_json()
            try:
                self.storefront.change(sent if isinstance(sent, dict) else {str(sent): None})
            except ValueError as error:
                return flask.jsonify(error=str(error)), 400
        return flask.jsonify(self.storefront.shown())

    def _answer(self, incoming: Request, environ: dict[str, Any]) -> Response:
        # The application gets a copy of the environment, so the count of rows comes back by way of a list.
        noted: list[int] = []
        environ[NOTED] = noted
        answer = super()._answer(incoming, environ)
        environ[ROWS] = sum(noted)
        return answer

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(CONTROL):
            return self._inner(environ, start_response)
        request = _request(environ, self.url, self.mode == "plain_permalinks")
        self._midnight.strike()
        try:
            answer = self._broken(request)
        except Refused as refused:
            headers = [api_link(request), *([] if request.role else [("Vary", "Origin")])]
            headers += [("Allow", refused.allow)] if refused.allow else []
            answer = ApiAnswer(refused.status, refused.body(), headers)
        if isinstance(answer.body, list):
            environ[NOTED].append(len(answer.body))
            self.faults.work(request.method, request.path, len(answer.body))
        made = _response(answer)
        if self.dates_answers:
            made.headers["Date"] = http_date(self.state.now())
        return made(environ, start_response)

    def _broken(self, request: ApiRequest) -> ApiAnswer:
        kind = self.shop_faults.take(request)
        return faults.instead(kind, request) or faults.corrupt(kind, self._standing(request))

    def _standing(self, request: ApiRequest) -> ApiAnswer:
        if self.mode == "php_down":
            return faults.down()
        if self.mode == "maintenance":
            return faults.closed(request)
        if "rest_route" in request.query:
            return self._rest(request, str(request.query["rest_route"]))
        if re.match(r"^(/index\.php)?/wp-json(/|$)", request.path):
            return self._pretty(request)
        if request.path.startswith("/wc-auth/v1/authorize") and self.mode != "plugin_off":
            return site_pages.grant(request)
        if self.mode in STOREFRONT_MODES:
            return site.answer(self.state, self.storefront, request)
        if request.path in ("/", "/index.php"):
            return site_pages.page(self.state, request, self.mode == "coming_soon")
        return site_pages.not_found(self.state, request)

    def _pretty(self, request: ApiRequest) -> ApiAnswer:
        path = request.path.removeprefix("/index.php").removeprefix("/wp-json")
        if self.mode != "plain_permalinks" and not request.path.startswith("/index.php"):
            return self._rest(request, path)
        if path in ("", "/"):
            return site_pages.page(self.state, request)
        # Without permalinks WordPress sends an API address to itself with a slash (woo:414 and woo:422).
        if path.endswith("/"):
            return site_pages.not_found(self.state, request)
        query = request.target.partition("?")[2]
        address = f"{request.home}/wp-json{path}/" + (f"?{query}" if query else "")
        return ApiAnswer(301, b"", [("X-Redirect-By", "WordPress"), ("Location", address)], HTML)

    def _rest(self, request: ApiRequest, path: str) -> ApiAnswer:
        path = "/" + path.strip("/")
        if self.mode == "rest_disabled" or self.faults.take(Fault.API_DISABLED, request.method, request.path):
            raise faults.shut()
        if self._over_limit(request):
            return faults.plain_status(429)
        if path == "/" and self.mode == "index_shut":
            raise Refused(401, "rest_not_logged_in", "You are not currently logged in.")
        if path == "/" and self.mode == "index_bare":
            return ApiAnswer(200, {"name": self.state.title, "namespaces": ["oembed/1.0"]})
        if path == "/":
            return _with_allow(
                site_pages.index(self.state, request, routes.of_shop(self.state), self.mode == "plugin_off")
            )
        if path.startswith("/wp/v2/users"):
            # The shop's keys do not open WordPress' own routes (woo:208).
            raise Refused(401, "rest_forbidden_context", "Sorry, you are not allowed to edit users.")
        if self.mode == "plugin_off":
            raise no_route()
        return self._shop(request, path)

    def _shop(self, request: ApiRequest, path: str) -> ApiAnswer:
        if path.startswith(f"{store_api.BASE}/"):
            return store_api.answer(self.state, self.storefront, request, path)
        answer = self._api(request, path)
        if "origin" in request.headers:
            # WordPress lets any origin read its own API, with credentials (storefront:079).
            answer.headers += calls.reflected(request)
        return answer

    def _api(self, request: ApiRequest, path: str) -> ApiAnswer:
        self._authenticate(request)
        if path.endswith("/batch") and (rule := self.faults.take(Fault.CRASH_AFTER_ROWS, request.method, request.path)):
            request.crash_after = int(rule.value)
        if path == "/wc/v3":
            return _with_allow(site_pages.namespace(request, routes.of_shop(self.state)))
        list_faults.before(self.faults, request)
        answer = list_faults.after(self.faults, request, routes.run(self.state, request, path))
        if not any(name == "Link" for name, _ in answer.headers):
            answer.headers.insert(0, api_link(request))
        if request.role:
            answer.headers.append(NOBODYS_CACHE)
        return answer

    def _authenticate(self, request: ApiRequest) -> None:
        self._authentication.basic_off = (
            self.faults.take(Fault.BASIC_DISABLED, request.method, request.path) is not None
        )
        if self.faults.take(Fault.WRONG_CREDENTIALS, request.method, request.path):
            return
        pair = self._authentication.check(request, self.state.now())
        request.role = pair.role if pair else None

    def _over_limit(self, request: ApiRequest) -> bool:
        rule = self.faults.take(Fault.RATE_LIMIT, request.method, request.path)
        return rule is not None and rule.used > int(rule.value)


def _request(environ: dict[str, Any], home: str, plain: bool) -> ApiRequest:
    target = environ.get("REQUEST_URI") or environ["PATH_INFO"]
    path = re.sub("/+", "/", unquote(target.partition("?")[0]))
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
    headers["content-type"] = environ.get("CONTENT_TYPE") or ""
    request = ApiRequest(
        method=environ["REQUEST_METHOD"],
        path=path,
        target=target,
        headers=headers,
        body=environ["wsgi.input"].read(),
        home=home,
        secure=environ["wsgi.url_scheme"] == "https",
        rest_base=PLAIN if plain else "/wp-json",
    )
    # Hosts that block DELETE are got round with _method on a POST (woo:470).
    override = request.query.get("_method") or headers.get("x-http-method-override")
    if request.method == "POST" and override:
        request.method = str(override).upper()
    return request


def _with_allow(answer: ApiAnswer) -> ApiAnswer:
    answer.headers.append(("Allow", "GET"))
    return answer


def _response(answer: ApiAnswer) -> Response:
    made = Response(answer.raw(), answer.status, content_type=answer.kind)
    own = {name for name, _ in answer.headers}
    usual = () if answer.is_page else USUAL
    for name, value in (*((name, value) for name, value in usual if name not in own), *answer.headers):
        made.headers.add(name, value)
    return made
