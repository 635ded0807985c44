"""The routes about the shop itself: status, settings, currency, countries, taxes, reports, gateways."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import documents, rest_format
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.money import SYMBOLS
from integration.sandbox.store.params import PAGING, read
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.state import State
from integration.sandbox.store.statuses import STATUSES
from integration.sandbox.store.taxes import RATES

ENTITIES = {"EUR": "&euro;", "USD": "&#36;", "GBP": "&pound;", "JPY": "&yen;"}
CURRENCIES = {"EUR": "Euro", "USD": "United States (US) dollar", "GBP": "Pound sterling", "JPY": "Japanese yen"}
COUNTRIES = {
    "AE": "United Arab Emirates",
    "BR": "Brazil",
    "CH": "Switzerland",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom (UK)",
    "IE": "Ireland",
    "IT": "Italy",
    "JP": "Japan",
    "US": "United States (US)",
}
STATES = {
    "DE": {"DE-BY": "Bavaria", "DE-BE": "Berlin"},
    "IT": {"MI": "Milano", "RM": "Roma", "TO": "Torino"},
    "JP": {"JP13": "Tokyo"},
    "US": {"CA": "California", "NY": "New York"},
}


def status(state: State, request: ApiRequest) -> ApiAnswer:
    """Return the system status; `_fields` narrows it, nested too (woo:006)."""
    whole = {
        "environment": _environment(state),
        "database": {"wc_database_version": state.version, "database_prefix": "wp_"},
        "active_plugins": [_plugin(state)],
        "inactive_plugins": [],
        "dropins_mu_plugins": {"dropins": [], "mu_plugins": []},
        "theme": {"name": "Twenty Twenty-Five", "version": "1.0", "is_child_theme": False, "is_block_theme": True},
        "settings": _settings(state),
        "security": {"secure_connection": request.secure, "hide_errors": True},
        "pages": [],
        "post_type_counts": _counts(state),
        "logging": {"logging_enabled": True, "default_handler": "LogHandlerFileV2", "retention_period_days": 30},
    }
    return ApiAnswer(200, rest_format.pick(whole, request.fields))


def _environment(state: State) -> dict[str, Any]:
    return {
        "home_url": state.home,
        "site_url": state.home,
        "store_id": "32e90e17-fcfc-4be9-a398-047d44aef5c6",
        "version": state.version,
        "log_directory_writable": True,
        "wp_version": "6.9",
        "wp_multisite": False,
        "wp_memory_limit": 536870912,
        "wp_debug_mode": False,
        "wp_cron": True,
        "language": "en_US",
        "external_object_cache": None,
        "server_info": "nginx/1.22.1",
        "php_version": "8.2.35",
        "php_post_max_size": 33554432,
        "php_max_execution_time": 300,
        "mysql_version": "10.11.19",
        "default_timezone": "UTC",
        "remote_post_successful": True,
        "remote_get_successful": True,
    }


def _plugin(state: State) -> dict[str, Any]:
    return {
        "plugin": "woocommerce/woocommerce.php",
        "name": "WooCommerce",
        "version": state.version,
        "version_latest": state.version,
        "url": "https://woocommerce.com/",
        "author_name": "Automattic",
        "author_url": "https://woocommerce.com",
        "network_activated": False,
    }


def _settings(state: State) -> dict[str, Any]:
    return {
        "api_enabled": True,
        "force_ssl": False,
        "currency": state.currency,
        "currency_symbol": ENTITIES.get(state.currency, state.currency),
        "currency_position": "right_space",
        "thousand_separator": ".",
        "decimal_separator": ",",
        "number_of_decimals": 2,
        "order_datastore": "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\OrdersTableDataStore",
        "HPOS_enabled": True,
        "HPOS_sync_enabled": False,
    }


def _counts(state: State) -> list[dict[str, str]]:
    kinds = {"product": 0, "product_variation": 0, "shop_coupon": len(state.coupons)}
    for entry in state.products.values():
        kinds["product_variation" if entry["type"] == "variation" else "product"] += 1
    return [{"type": kind, "count": str(count)} for kind, count in kinds.items()]


# id: type, value of the shop (woo:132).
GENERAL = {
    "woocommerce_store_address": ("text", "Via Roma 1"),
    "woocommerce_store_address_2": ("text", ""),
    "woocommerce_store_city": ("text", "Milano"),
    "woocommerce_default_country": ("select", "IT:MI"),
    "woocommerce_store_postcode": ("text", "20100"),
    "woocommerce_allowed_countries": ("select", "all"),
    "woocommerce_all_except_countries": ("multiselect", ""),
    "woocommerce_specific_allowed_countries": ("multiselect", ""),
    "woocommerce_ship_to_countries": ("select", ""),
    "woocommerce_specific_ship_to_countries": ("multiselect", ""),
    "woocommerce_default_customer_address": ("select", "base"),
    "woocommerce_calc_taxes": ("checkbox", "yes"),
    "woocommerce_enable_coupons": ("checkbox", "yes"),
    "woocommerce_calc_discounts_sequentially": ("checkbox", "no"),
    "woocommerce_currency": ("select", "EUR"),
    "woocommerce_currency_pos": ("select", "right_space"),
    "woocommerce_price_thousand_sep": ("text", "."),
    "woocommerce_price_decimal_sep": ("text", ","),
    "woocommerce_price_num_decimals": ("number", "2"),
}


def general(state: State, request: ApiRequest) -> ApiAnswer:
    """Return the general settings: the currency is `woocommerce_currency`."""
    entries = []
    for name, (kind, value) in GENERAL.items():
        shown = state.currency if name == "woocommerce_currency" else value
        entry: dict[str, Any] = {
            "id": name,
            "label": name.removeprefix("woocommerce_").replace("_", " "),
            "description": "",
        }
        entry |= {"type": kind, "default": "", "tip": "", "value": shown}
        address = f"{request.root}/wc/v3/settings/general"
        entry["_links"] = {
            "self": [{"href": f"{address}/{name}", "targetHints": {"allow": rest_format.EVERY_VERB[:-1]}}],
            "collection": [{"href": address}],
        }
        entries.append(rest_format.pick(entry, request.fields))
    return ApiAnswer(200, entries)


def currency(state: State, request: ApiRequest) -> ApiAnswer:
    """Return the shop's currency, its symbol as an HTML entity (woo:133)."""
    address = f"{request.root}/wc/v3/data/currencies"
    return ApiAnswer(
        200,
        {
            "code": state.currency,
            "name": CURRENCIES.get(state.currency, state.currency),
            "symbol": ENTITIES.get(state.currency, SYMBOLS.get(state.currency, state.currency)),
            "_links": {
                "self": [{"href": f"{address}/{state.currency}", "targetHints": {"allow": ["GET"]}}],
                "collection": [{"href": address}],
            },
        },
    )


def countries(state: State, request: ApiRequest) -> ApiAnswer:
    """Return countries with their states, a part of WooCommerce's list."""
    entries = [
        {"code": code, "name": name, "states": [{"code": c, "name": n} for c, n in STATES.get(code, {}).items()]}
        for code, name in COUNTRIES.items()
    ]
    return ApiAnswer(200, [rest_format.pick(entry, request.fields) for entry in entries])


def taxes(state: State, request: ApiRequest) -> ApiAnswer:
    """Return the tax rates (woo:136)."""
    page = Page.of({**read(request, PAGING), "offset": None})
    rows = [{**rate.document(), "_links": rest_format.links(request.root, "/wc/v3/taxes", rate.id)} for rate in RATES]
    return answer(request, page, len(rows), list(page.cut(rows)), Style("/wc/v3/taxes"))


def order_totals(state: State, request: ApiRequest) -> ApiAnswer:
    """Count the orders of each status, drafts too and the trash not (woo:134)."""
    counts = dict.fromkeys(STATUSES, 0)
    for row in state.orders:
        if row.status in counts:
            counts[row.status] += 1
    return ApiAnswer(200, [{"slug": slug, "name": STATUSES[slug], "total": count} for slug, count in counts.items()])


def customer_totals(state: State, request: ApiRequest) -> ApiAnswer:
    """Count accounts that have paid and that have not (woo:135)."""
    customers = [person for person in state.people.values() if person.role in ("customer", "subscriber")]
    paying = sum(bool(documents.of_person(person)["is_paying_customer"]) for person in customers)
    rows = (("paying", "Paying customer", paying), ("non_paying", "Non-paying customer", len(customers) - paying))
    return ApiAnswer(200, [{"slug": slug, "name": name, "total": total} for slug, name, total in rows])


def gateway(state: State, request: ApiRequest, name: str) -> ApiAnswer:
    """Return the one payment gateway of the shop (woo:137)."""
    if name != "bacs":
        raise Refused(404, "woocommerce_rest_payment_gateway_invalid", "Resource does not exist.")
    address = f"{request.root}/wc/v3/payment_gateways"
    links = {
        "self": [{"href": f"{address}/bacs", "targetHints": {"allow": rest_format.EVERY_VERB[:-1]}}],
        "collection": [{"href": address}],
    }
    return ApiAnswer(
        200,
        {
            "id": "bacs",
            "title": "Direct bank transfer",
            "description": "Make your payment directly into our bank account.",
            "order": "",
            "enabled": True,
            "method_title": "Direct bank transfer",
            "method_description": "Take payments in person via BACS.",
            "method_supports": ["products"],
            "settings": {},
            "_links": links,
        },
    )
