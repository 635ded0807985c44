"""How a store is known to fail."""

from __future__ import annotations

from integration.operations.diagnostics.catalogue.known import COMPARED
from integration.operations.diagnostics.catalogue.known import MAPPING
from integration.operations.diagnostics.catalogue.known import SYNC
from integration.operations.diagnostics.catalogue.known import WEBHOOKS
from integration.operations.diagnostics.catalogue.known import Known

STORE = (
    Known("W01", "The web server drops the Authorization header.", "header_dropped"),
    Known("W02", "A proxy ends TLS, and the store believes that it is asked over http.", "not_told_https"),
    Known("W03", "The key is not known, or was deleted with its user.", "wrong_key"),
    Known("W04", "The consumer secret is wrong.", "wrong_secret"),
    Known("W05", "The consumer key belongs to another site, such as a staging copy.", "wrong_key"),
    Known("W06", "The signature is refused: another form of the address, or a wrong secret.", "bad_signature"),
    Known("W07", "The clocks are more than 15 minutes apart.", "clock"),
    Known("W08", "The key may only read.", "read_only_key"),
    Known("W09", "WooCommerce is off or too old.", "no_woocommerce"),
    Known("W10", "Permalinks are set to “Plain”.", "plain_permalinks"),
    Known("W11", "A security plugin shuts the REST API.", "rest_disabled"),
    Known("W12", "A wall against bots, such as Cloudflare's, answers instead.", "bot_wall"),
    Known("W13", "A firewall rule refuses the request.", "firewall"),
    Known("W14", "The address sends on: to https, to www, to a language.", "redirected"),
    Known("W15", "A write is answered with a list: it became a read on its way.", "post_became_get"),
    Known("W16", "A web page comes instead of JSON: coming soon, login, home page.", "html_answer"),
    Known("W17", "Something is printed in front of the JSON.", "php_notice"),
    Known("W18", "PHP breaks off with a critical error.", "php_fatal"),
    Known(
        "W19",
        "A full page of records is too much for the store.",
        "server_error",
        SYNC,
        "Nothing to do: smaller pages are read, down to one record; raise PHP's memory_limit to be faster.",
    ),
    Known(
        "W20",
        "A parameter is refused; the answer names it.",
        "invalid_param",
        SYNC,
        "Correct the value it names, such as a status that the store no longer has.",
    ),
    Known("W21", "Lists come without their totals.", "totals_missing"),
    Known("W22", "Answers come out of a cache.", "cached_answer"),
    Known(
        "W23",
        "WooCommerce has switched a webhook off after failures.",
        "disabled",
        WEBHOOKS,
        "Nothing to do: it is switched on again and what it missed is read; if it comes back, look at PUBLIC_URL.",
    ),
    Known(
        "W24",
        "Webhooks are active, but nothing comes: the store's cron is off or blocked.",
        "silent",
        WEBHOOKS,
        "Set up a real cron for wp-cron.php, and look at WooCommerce, Status, Scheduled Actions.",
    ),
    Known(
        "W25",
        "A webhook's signature does not fit.",
        "401",
        WEBHOOKS,
        "Register the webhooks again on the Connection page: that renews their secret.",
    ),
    Known(
        "W26",
        "A webhook brings an error, because the key's user lost a right.",
        "ignored",
        WEBHOOKS,
        "Make the key for an administrator or shop manager, and register the webhooks again.",
    ),
    Known(
        "W27",
        "WordPress will not call the webhooks' address: a private one, or an odd port.",
        "delivery_private",
        WEBHOOKS,
        "Set PUBLIC_URL to an https address that can be reached from outside, on port 443 or 8080.",
    ),
    Known(
        "W28",
        "An order has no e-mail address: a draft, the till, or made by hand.",
        "no_email",
        MAPPING,
        "Nothing to do for drafts; enter the address in the order, and it is synced.",
    ),
    Known(
        "W29",
        "A coupon or customer exists already.",
        "exists",
        SYNC,
        "Use the one that exists, or another name.",
    ),
    Known(
        "W30",
        "A request is larger than the web server takes.",
        "too_large",
        SYNC,
        "Raise the web server's limit for the size of a request (client_max_body_size in nginx).",
    ),
    Known("W31", "The host's limits are reached: too many requests, or too much load.", "resource_limit"),
    Known("W32", "The certificate is self-signed, expired, incomplete or another host's.", "tls_chain"),
    Known("W33", "WooCommerce is older than 5.8 and ignores modified_after.", "no_changes_list"),
    Known(
        "W34",
        "The store logs deliveries as done, but they were sent on and lost.",
        "delivery_redirected",
        WEBHOOKS,
        "Set PUBLIC_URL to the final https address, so that nothing sends on.",
    ),
    Known(
        "W35",
        "Numbers differ from those in the store's administration.",
        "missing",
        COMPARED,
        "Look at the reconciliation: trash, drafts, refunds and statuses of plugins are counted differently there.",
    ),
)
