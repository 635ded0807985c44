"""The signatures W18 to W35 of the store: pages, records and webhooks of a sync."""

from __future__ import annotations

from tests.operations.diagnostics.signatures import Case, Elsewhere, Said, ok, page, wordpress
from tests.operations.diagnostics.store_cases import ORDERS, ROOT, step, told

FATAL = wordpress(500, "internal_server_error", "<p>There has been a critical error on this website.</p>")
LIMIT = page(508, "<h1>Resource Limit Is Reached</h1>")
OLD_VERSION = ok({"environment": {"version": "5.7.1"}})
CATALOGUE_GAPS = "tests/operations/test_gaps.py"

STORE_SYNC: dict[str, tuple[Case, ...]] = {
    "W18": (
        told(FATAL, "ServerFault", "php_fatal", "critical error", "PHP error log"),
        step(ROOT, FATAL, 2, "php_fatal", "critical error", "switch off the plugin"),
        Elsewhere(
            "integration.store.page_splitting:Division",
            "tests/store/test_crawl.py::test_a_record_that_kills_the_page_is_named_and_left_alone",
            "In a sync pages are halved around the one record.",
        ),
    ),
    "W19": (
        told(Said(200, ""), "ServerFault", "empty_answer", "answer is empty", "tried again"),
        told(Said(200, '[{"id": 1'), "ServerFault", "unreadable", "cut off or is no JSON", "tried again"),
        told(page(504, "Gateway Time-out"), "ServerFault", "gateway", "(status 504)", "tried again"),
        Elsewhere(
            "integration.store.page_splitting:Division",
            "tests/store/test_reading.py::test_a_page_that_is_too_large_is_read_in_smaller_ones",
            "Smaller pages are read by themselves.",
        ),
    ),
    "W20": (
        told(
            wordpress(
                400, "rest_invalid_param", "Invalid parameter(s): status", params={"status": "status[0] is not."}
            ),
            "Rejected",
            "invalid_param",
            "status[0] is not",
            "Correct the value",
        ),
    ),
    "W21": (
        step(ORDERS, ok([{"id": 1}]), 5, "totals_missing", "without their totals", "cache", "warning"),
        step(ORDERS, ok([{"id": 1}], X_WP_Total="0"), 5, "totals_missing", "without their totals", "cache", "warning"),
    ),
    "W22": tuple(
        step(ORDERS, ok([{"id": 1}], X_WP_Total="1", **told_by), 5, "cached_answer", "out of a cache", "CDN", "warning")
        for told_by in ({"CF_Cache_Status": "HIT"}, {"Age": "62"}, {"X_Cache": "Hit from cloudfront"})
    ),
    "W23": (
        Elsewhere(
            "integration.operations.reconciliation.webhook_symptoms:look",
            f"{CATALOGUE_GAPS}::test_a_disabled_webhook_is_switched_on_and_the_gap_is_read",
            "The store's list of webhooks tells it (disabled).",
        ),
    ),
    "W24": (
        Elsewhere(
            "integration.operations.reconciliation.webhook_symptoms:silent",
            f"{CATALOGUE_GAPS}::test_orders_that_only_polling_found_tell_of_silence",
            "Only what polling finds tells it.",
        ),
    ),
    "W25": (
        Elsewhere(
            "integration.pipeline.ingest.webhooks:receive",
            "tests/web/test_hooks.py::test_forged_and_unsigned_ones_are_refused",
            "It is the store that calls us; it is answered with 401.",
        ),
    ),
    "W26": (
        Elsewhere(
            "integration.store.webhooks:Ignored",
            "tests/store/test_webhooks.py::test_a_signed_error_body_is_ignored_with_its_reason",
            "It is the store that calls us.",
        ),
    ),
    "W27": (
        told(
            wordpress(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", "must be a valid URL."),
            "Rejected",
            "bad_delivery_url",
            "must be a valid URL",
            "PUBLIC_URL",
        ),
        Elsewhere(
            "integration.operations.support.diagnostics.delivery:check",
            "tests/web/test_diagnostics.py::test_where_wordpress_delivers",
            "WordPress says nothing of it to us, so our own address is looked at.",
        ),
    ),
    "W28": (
        Elsewhere(
            "integration.mapping.orders:NO_EMAIL",
            "tests/mapping/test_orders.py::test_an_order_without_email_is_skipped",
            "The order is skipped with its reason.",
        ),
    ),
    "W29": (
        told(
            wordpress(400, "woocommerce_rest_coupon_code_already_exists", "The coupon code already exists"),
            "Rejected",
            "exists",
            "already exists",
            "another name",
        ),
    ),
    "W30": (
        told(page(413, "Request Entity Too Large"), "Rejected", "too_large", "413", "client_max_body_size"),
        told(wordpress(413, "woocommerce_rest_request_entity_too_large", "x"), "Rejected", "too_large", "x", "limit"),
    ),
    "W31": (
        told(Said(429), "Throttled", "throttled", "too many requests", "tried again"),
        told(LIMIT, "Throttled", "resource_limit", "resource limit", "tried again"),
        step(ROOT, LIMIT, 2, "resource_limit", "resource limit", "ask the host"),
        step(ORDERS, LIMIT, 4, "resource_limit", "resource limit", "ask the host"),
        step(ROOT, Said(429), 2, "throttled", "too many requests", "raise the limit"),
    ),
    "W32": (
        Elsewhere(
            "integration.operations.support.diagnostics.advice:finer",
            "tests/operations/diagnostics/test_store_steps.py::test_certificate_of_an_unknown_authority",
            "There is no answer, only OpenSSL's word (tls_chain).",
        ),
        Elsewhere(
            "integration.operations.support.diagnostics.advice:finer",
            "tests/operations/diagnostics/test_certificates.py::test_expired_certificate",
            "There is no answer, only OpenSSL's word (tls_expired).",
        ),
    ),
    "W33": (
        step(
            "/wp-json/wc/v3/system_status",
            OLD_VERSION,
            5,
            "no_changes_list",
            "WooCommerce 5.7.1 cannot list",
            "5.8 or newer",
            "warning",
        ),
    ),
    "W34": (
        Elsewhere(
            "integration.operations.support.diagnostics.delivery:check",
            "tests/web/test_diagnostics.py::test_where_wordpress_delivers",
            "The store takes a redirect for success, so only our own address tells (delivery_redirected).",
        ),
    ),
    "W35": (
        Elsewhere(
            "integration.operations.reconciliation.findings:KINDS",
            "tests/operations/reconciliation/test_reconciliation.py::test_orders_that_went_without_a_word_change_the_sums",
            "Only comparing everything shows what is really missing.",
        ),
    ),
}
