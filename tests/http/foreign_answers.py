"""Answers that a service did not write itself, each with its verdict and the mark of the table that shows it."""

from __future__ import annotations

from integration.errors import NotSetUp, Rejected, ServerFault, Throttled
from tests.http.verdicts import MAUTIC, STORE, Case, plain, to, told
from tests.operations.diagnostics.signatures import Said, page, recorded, wordpress

#: The home page of a real shop (woo:211), without the Link header that names a host nobody has here.
HOME = Said(200, recorded("store/211").body, {"Content-Type": "text/html"})
LINK = '<http://{host}/index.php?rest_route=/>; rel="https://api.w.org/"'
VERIFIED = "<title>One moment, please...</title>Your request is being verified <script src='/wp-content/x.js'>"
IN_LOOK = "wall in the site's look"
WP_PAGE = ("wordpress page", STORE)
APACHE = (
    "<title>503 Service Unavailable</title><p>The server is temporarily unable to service your request due to "
    "maintenance downtime or capacity problems. Please try again later.</p>"
)
CASES = (
    Case("woo-413", recorded("store/413"), NotSetUp, "plain_permalinks", "link header", STORE),
    Case("plain-404", page(404, "Not found", Link=LINK), NotSetUp, "plain_permalinks", "link header", STORE),
    Case("loop", to("http://{host}{path}", 301), NotSetUp, "redirect_loop", "same address"),
    Case("to-wp-login", to("/wp-login.php?redirect_to=x"), NotSetUp, "redirect_login", "login page"),
    Case("to-sso", to("https://id.test/sso"), NotSetUp, "redirect_login", "login page"),
    Case("to-https", to("https://{host}{path}", 301), NotSetUp, "redirect_https", "https"),
    Case("to-www", to("http://www.127.0.0.1{path}", 301), NotSetUp, "redirect_www", "www"),
    Case("to-language", to("/de{path}"), NotSetUp, "redirect_language", "language"),
    Case("to-language-en-gb", to("/en-gb{path}", 307), NotSetUp, "redirect_language", "language"),
    Case("to-other-host", to("https://other.test{path}", 308), NotSetUp, "redirected", "elsewhere"),
    Case("nowhere", Said(302), NotSetUp, "redirected", "elsewhere"),
    Case("cf-mitigated", page(403, "Sorry", cf_mitigated="challenge"), NotSetUp, "bot_wall", "cf-mitigated"),
    Case("woo-440", recorded("store/440"), NotSetUp, "bot_wall", "challenge"),
    Case("cf-challenge", page(403, "<title>Just a moment...</title>", cf_ray="8f"), NotSetUp, "bot_wall", "challenge"),
    Case("cf-503", page(503, "<title>Attention Required! | Cloudflare</title>"), NotSetUp, "bot_wall", "challenge"),
    Case(
        "imunify-page",
        page(200, "<title>One moment, please...</title>Please wait while your request is being verified..."),
        NotSetUp,
        "bot_wall",
        "challenge",
    ),
    *(
        Case(f"imunify-{status}", page(status, VERIFIED), NotSetUp, "bot_wall", mark)
        for status, mark in ((200, IN_LOOK), (415, IN_LOOK), (429, IN_LOOK), (409, IN_LOOK), (503, IN_LOOK))
    ),
    Case("captcha-415", page(415, "<form class='g-recaptcha'>"), NotSetUp, "bot_wall", "challenge"),
    Case("wordpress-captcha", page(200, "<form class='g-recaptcha'> wp-content"), NotSetUp, "html_answer", *WP_PAGE),
    Case("apache-503", page(503, APACHE), ServerFault, "gateway", "gateway"),
    Case("nginx-503", page(503, "<h1>503 Service Temporarily Unavailable</h1>"), ServerFault, "gateway", "gateway"),
    Case("captcha", page(200, "<form class='g-recaptcha'>"), NotSetUp, "bot_wall", "challenge"),
    Case("suspended", page(200, "<h1>Account Suspended</h1>"), NotSetUp, "suspended", "account suspended"),
    Case("mod_security", page(406, "<h1>Not Acceptable!</h1> Mod_Security"), NotSetUp, "firewall", "rule named"),
    Case(
        "wordfence",
        page(503, "Your access to this site has been limited by the site owner. Wordfence", Retry_After="3600"),
        NotSetUp,
        "firewall",
        "rule named",
    ),
    Case("cf-1020", plain(403, "error code: 1020"), NotSetUp, "firewall", "rule named"),
    Case(
        "imunify-json",
        told(200, {"message": "Access denied by Imunify360 bot-protection."}),
        NotSetUp,
        "firewall",
        "imunify json",
    ),
    Case("woo-442", recorded("store/442"), NotSetUp, "firewall", "refused"),
    Case("nginx-403", page(403, "<h1>403 Forbidden</h1><hr>nginx"), NotSetUp, "firewall", "refused"),
    Case("501-store", page(501, "<h1>Not Implemented</h1>"), NotSetUp, "firewall", "method", STORE),
    Case("405-mautic", page(405, "<h1>Not Allowed</h1>"), NotSetUp, "method_blocked", "method", MAUTIC),
    Case(
        "basic-auth",
        plain(401, "Authorization Required", WWW_Authenticate='Basic realm="staging"'),
        NotSetUp,
        "web_login",
        "basic auth",
    ),
    Case("401-page", page(401, "<h1>401</h1>"), NotSetUp, "web_login", "page"),
    Case("413", page(413, "Request Entity Too Large"), Rejected, "too_large", "size"),
    Case("woo-443", recorded("store/443"), Throttled, "resource_limit", "508"),
    Case("cloudlinux", page(503, "<h1>Resource Limit Is Reached</h1>"), Throttled, "resource_limit", "named"),
    Case("woo-429-maintenance", recorded("store/429"), Throttled, "maintenance", "wp_die", STORE),
    Case("woo-448", recorded("store/448"), Throttled, "maintenance", "named"),
    Case("hosting", page(503, "<h1>Wartungsarbeiten</h1>"), Throttled, "maintenance", "named"),
    Case(
        "other-language",
        page(503, "<body id='error-page'>Stránka není dostupná", Retry_After="600"),
        Throttled,
        "maintenance",
        "wordpress page",
    ),
    Case("woo-441", recorded("store/441"), Throttled, "throttled", "429"),
    Case("429-empty", Said(429), Throttled, "throttled", "429"),
    Case("503-wait", page(503, "Service Unavailable", Retry_After="7"), Throttled, "unavailable", "503 with a time"),
    Case("woo-449", recorded("store/449"), ServerFault, "database_down", "page"),
    Case("woo-436", recorded("store/436"), ServerFault, "database_down", "wordpress", STORE),
    Case("woo-450", recorded("store/450"), ServerFault, "php_fatal", "page"),
    Case(
        "woo-fatal-json",
        wordpress(500, "internal_server_error", "<p>There has been a critical error on this website.</p>"),
        ServerFault,
        "php_fatal",
        "wordpress",
        STORE,
    ),
    Case("fatal-printed", plain(200, "PHP Fatal error: Allowed memory"), ServerFault, "php_fatal", "printed"),
    Case("offline", page(500, "<title>Site is offline</title>"), ServerFault, "site_offline", "page", MAUTIC),
    Case("woo-446", recorded("store/446"), ServerFault, "gateway", "gateway"),
    Case("503", page(503, "<h1>Service Unavailable</h1>"), ServerFault, "gateway", "gateway"),
    Case("504", page(504, "Gateway Time-out"), ServerFault, "gateway", "gateway"),
    Case("cf-522", page(522, "Connection timed out"), ServerFault, "gateway", "gateway"),
    Case("500-empty", Said(500), ServerFault, "server_fault", "fault"),
    Case("500-page", page(500, "Internal Server Error"), ServerFault, "server_fault", "fault"),
    Case("parked", page(200, "This domain is parked. Buy this domain"), NotSetUp, "parked", "parking"),
    Case("nginx-default", page(200, "<h1>Welcome to nginx!</h1>"), NotSetUp, "default_page", "default"),
    Case("coming-soon", page(200, "<h1>Coming soon</h1> wp-content"), NotSetUp, "coming_soon", "coming soon", STORE),
    Case("login", page(200, "<title>Sign in - Portal</title>"), NotSetUp, "login_page", "login"),
    Case("empty", Said(200), ServerFault, "empty_answer", "empty"),
    Case("woo-211", HOME, NotSetUp, "html_answer", "wordpress page", STORE),
    Case("woo-211-as-mautic", HOME, NotSetUp, "store_as_mautic", "wordpress page", MAUTIC),
    Case("other-page", page(200, "My garden"), NotSetUp, "not_wordpress", "other page", STORE),
    Case("404-text", plain(404, "404 page not found"), NotSetUp, "not_wordpress", "no page", STORE),
    Case(
        "mautic-json",
        told(401, {"errors": [{"message": "x", "code": 401, "type": "access_denied"}]}),
        NotSetUp,
        "mautic_as_store",
        "mautic's errors",
        STORE,
    ),
    Case("rest-json", wordpress(404, "rest_no_route", "x"), NotSetUp, "store_as_mautic", "rest error", MAUTIC),
    Case("garden-as-mautic", page(200, "My garden"), NotSetUp, "not_mautic", "other site", MAUTIC),
    Case("404-as-mautic", plain(404, "404 page not found"), NotSetUp, "not_mautic", "not found", MAUTIC),
    Case("cut", Said(200, '[{"id": 1, "sta'), ServerFault, "unreadable", "cut json"),
    Case("unknown", plain(400, "Bad cookie"), ServerFault, "unknown_answer", "anything"),
)
