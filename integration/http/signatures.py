"""The one table of answers other than results: how each is recognised, whose fault it is, what to say.

The first row that fits wins. Texts have gaps: {name} is "the store" or "Mautic", {place} their address, {paths} the
paths of the API, {log} where its errors stand, {status}, {wait}, for redirects {target} and
{suggestion}, and for a service's own refusals {said}, {reason} and what their parts of the table name.
Numbers are those of the catalogue of known failures (W01 to W35 of stores, M01 to M36 of Mautic).
"""

from __future__ import annotations

from integration.errors import NotSetUp, ServerFault, Throttled
from integration.http.marks import (
    FAULTS,
    FOREIGN,
    GATEWAYS,
    GOOD,
    PAGE,
    REFUSALS,
    Mark,
    Signature,
)
from integration.http.signatures_front import FRONT
from integration.http.signatures_mautic import MAUTIC
from integration.http.signatures_store import STORE

_AGAIN = "It is tried again by itself"

_BUSY = (
    Signature(
        "resource_limit",
        Throttled,
        "The hosting of {name} has reached its resource limit.",
        f"{_AGAIN}; ask the host for more memory and processes, or import at night.",
        ("W31",),
        (Mark("508", (508,)), Mark("named", FAULTS, FOREIGN, "resource limit is reached")),
    ),
    Signature(
        "maintenance",
        Throttled,
        "{name} is in maintenance just now, closed for everybody.",
        f"{_AGAIN}; if it never ends, delete the file .maintenance in WordPress' folder, or ask the host.",
        ("W16",),
        (
            Mark("wp_die", (503,), ("own",), r'"code"\s*:\s*"wp_die"'),
            Mark(
                "named",
                (503,),
                ("page", "text"),
                # Apache's own page of a busy server says “due to maintenance downtime or capacity problems”.
                r"maintenance(?! downtime or capacity)|wartung|mantenimiento|manutenzione|briefly unavailable",
            ),
            Mark("wordpress page", (503,), PAGE, "wp-die-message|id=.error-page", header=("retry-after", ".")),
        ),
    ),
    Signature(
        "throttled",
        Throttled,
        "{name} has had too many requests and asks to wait{wait}.",
        f"{_AGAIN}; if it happens often, raise the limit of API calls there, or lower the sync's frequency.",
        ("W31", "M29"),
        (Mark("429", (429,)),),
    ),
    Signature(
        "unavailable",
        Throttled,
        "{name} is not available just now and asks to wait{wait}.",
        f"{_AGAIN}; if it lasts, ask its host what answers in its place with status 503.",
        ("W31", "M29"),
        (Mark("503 with a time", (503,), header=("retry-after", ".")),),
    ),
)

_BROKEN = (
    Signature(
        "database_down",
        ServerFault,
        "{name} cannot reach its own database.",
        f"{_AGAIN}; check that its database server runs and that the password in its configuration is right.",
        ("W18",),
        (
            Mark("page", FAULTS, ("page", "text"), "database"),
            Mark("wordpress", FAULTS, ("own",), r'"code"\s*:\s*"(?!wc_rest_|woocommerce_).*"message".*database'),
        ),
    ),
    Signature(
        "php_fatal",
        ServerFault,
        "{name} breaks down with a critical error of PHP.",
        f"{_AGAIN}; look into its logs ({{log}}) and switch off the plugin that is named there.",
        ("W18",),
        (
            Mark("wordpress", FAULTS, ("own",), r'"code"\s*:\s*"internal_server_error"'),
            Mark("page", FAULTS, ("page", "text"), "critical error"),
            Mark("printed", (*GOOD, 500), ("page", "text"), r"(?:fatal|parse) error(?:</b>)?:"),
        ),
    ),
    Signature(
        "site_offline",
        ServerFault,
        "Mautic shows the page “Site is offline”: an error of its own, PHP broke off, often for want of memory.",
        f"{_AGAIN}; look at Mautic's var/logs, raise PHP's memory_limit, and set a smaller batch (sync.batch_max).",
        ("M14",),
        (Mark("page", FAULTS, PAGE, "site is offline"),),
        "mautic",
    ),
    Signature(
        "gateway",
        ServerFault,
        "The web server in front of {name} gets no answer from it (status {status}).",
        f"{_AGAIN}; if it lasts, check that PHP (php-fpm) runs on its server, and the server's load.",
        ("W19", "M34"),
        (Mark("gateway", GATEWAYS, FOREIGN),),
    ),
    Signature(
        "server_fault",
        ServerFault,
        "{name} failed with an error of its own ({fault}).",
        f"{_AGAIN}; look into its logs ({{log}}).",
        ("W18", "M16"),
        (
            Mark("fault", FAULTS, FOREIGN),
            Mark("own words", FAULTS, ("own",), code=r"(?!woocommerce_rest_|wc_rest_).*"),
        ),
    ),
)

_OTHER_PAGES = (
    Signature(
        "parked",
        NotSetUp,
        "The domain of {name} is parked: no site of yours is there.",
        "Check the spelling of {place}, that the domain is paid for, and where its name leads (DNS).",
        ("W16", "M13"),
        (
            Mark(
                "parking",
                (*GOOD, *REFUSALS),
                PAGE,
                r"domain (?:name )?is (?:parked|for sale)|parked (?:domain|free)|buy this domain|sedoparking|"
                r"hugedomains|parkingcrew",
            ),
        ),
    ),
    Signature(
        "default_page",
        NotSetUp,
        "The web server at {place} shows its default page: no site is set up for this name.",
        "Enter the address under which {name} is found, or let the web server serve it under this name.",
        ("W16", "M13"),
        (
            Mark(
                "default",
                (*GOOD, *REFUSALS),
                PAGE,
                r"welcome to nginx|apache2 (?:ubuntu|debian) default page|it works!|iis windows server|"
                r"<title>index of /|default web site page",
            ),
        ),
    ),
    Signature(
        "coming_soon",
        NotSetUp,
        "The store shows a “coming soon” web page instead of its REST API.",
        "Publish the site, or exempt {paths} in the plugin for coming soon, maintenance or login page.",
        ("W16",),
        (Mark("coming soon", (*GOOD, 404), PAGE, r"coming[ -]soon|under construction|launching soon"),),
        "store",
    ),
    Signature(
        "login_page",
        NotSetUp,
        "A page where people sign in answers instead of {name}.",
        "Let requests to {paths} pass without that login.",
        ("W16", "M13"),
        (Mark("login", GOOD, PAGE, r"id=[\"']loginform|<title>[^<]*\b(?:log ?in|sign ?in|anmelden)\b"),),
    ),
    Signature(
        "empty_answer",
        ServerFault,
        "{name}'s answer is empty.",
        f"{_AGAIN}; if it stays, look into its PHP error log: PHP often ends so for want of memory.",
        ("W19",),
        (Mark("empty", GOOD, ("empty",)),),
    ),
    Signature(
        "html_answer",
        NotSetUp,
        "The store answers with a web page where its REST API should be.",
        "Save the permalinks again in WordPress, and look for a cache, a coming soon, maintenance or login page.",
        ("W16",),
        (Mark("wordpress page", (*GOOD, 404, 410), PAGE, wordpress=True),),
        "store",
    ),
    Signature(
        "not_wordpress",
        NotSetUp,
        "There is a web site at this address, but it is not WordPress.",
        "Enter the address of the shop's front page, with the sub-directory if WordPress is in one; if it is right, "
        "save the permalinks in WordPress once again.",
        ("W16",),
        (Mark("other page", (*GOOD, 404, 410), PAGE, wordpress=False), Mark("no page", (404, 410), ("empty", "text"))),
        "store",
    ),
    Signature(
        "mautic_as_store",
        NotSetUp,
        "This address is a Mautic, not a store.",
        "Enter the WooCommerce shop's address here and this one under Mautic.",
        ("W16",),
        (Mark("mautic's errors", REFUSALS, ("json",), r'^\s*\{"errors":\s*\['),),
        "store",
    ),
    Signature(
        "store_as_mautic",
        NotSetUp,
        "This address is a WordPress site, not a Mautic.",
        "Enter Mautic's own address here; the shop's belongs under Store.",
        ("M13",),
        (
            Mark("rest error", REFUSALS, ("json",), r'^\s*\{"code":\s*"(?:rest|wc|woocommerce)_'),
            Mark("wordpress page", (*GOOD, 404, 410), PAGE, wordpress=True),
        ),
        "mautic",
    ),
    Signature(
        "not_mautic",
        NotSetUp,
        "The address does not answer as Mautic does.",
        "Enter the address of Mautic's root, with the sub-directory if it is in one.",
        ("M13",),
        (Mark("other site", (*GOOD, *REFUSALS), PAGE), Mark("not found", (404, 410), FOREIGN)),
        "mautic",
    ),
    Signature(
        "unreadable",
        ServerFault,
        "{name}'s answer was cut off or is no JSON.",
        f"{_AGAIN}; if it stays, look into its PHP error log, or at the answer on the Logs page in debug mode.",
        ("W19",),
        (Mark("cut json", GOOD, ("text",), r"^[\ufeff\s]*[\[{]"),),
    ),
    Signature(
        "unknown_answer",
        ServerFault,
        "{name} gave an unknown answer: status {status}, {content_type}, “{words}”.",
        f"{_AGAIN}; if it stays, show this to whoever looks after the server.",
        (),
        (Mark("anything", (*GOOD, *REFUSALS), FOREIGN),),
    ),
)

_WRITES = (
    Signature(
        "post_became_get",
        NotSetUp,
        "{name} answers a write as if it were read: something on the way turns POST into GET.",
        "Enter the address exactly as the site uses it (https, www), and look for a redirect rule in front of it.",
        ("W15",),
        (),
    ),
)

SIGNATURES = (*FRONT, *_BUSY, *_BROKEN, *STORE, *MAUTIC, *_OTHER_PAGES, *_WRITES)
#: Code -> (sentence, what to do), with their gaps.
TEXTS = {row.code: (row.sentence, row.hint) for row in SIGNATURES}
