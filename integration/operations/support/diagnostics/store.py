"""Test connection, the store's side (E1): reachable, WordPress, WooCommerce, the key, data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from integration.clock import Clock
from integration.errors import AuthRejected, Rejected, ServiceError
from integration.http import upstream
from integration.http.transport import Answer, Observer, Route, Transport
from integration.mapping.emails import HIDDEN
from integration.operations.support.diagnostics import authority, signs
from integration.operations.support.diagnostics.steps import Failed, Finding, Step, run
from integration.store import discovery, hidden_addresses
from integration.store.access import SERVICE, StoreAccess, home, signature
from integration.store.answers import classify
from integration.store.client import HEADER_DROPPED, StoreClient
from integration.store.discovery import linked_root, offset_of
from integration.store.php_values import decoded_name
from integration.store.sanitizing import text_of
from integration.words import counted

API = "wc/v3"
#: From this version on lists have modified_after (dossier W33).
CHANGES_SINCE = (5, 8)
#: What a store says to a signature whose key it knows.
_KEY_KNOWN = ("bad_signature", "clock", "nonce", "no_rights", "write_only_key")
_OLDER = ("wc/v1", "wc/v2")
#: What is read -> parameters of the cheapest read; a total comes in the header X-WP-Total.
_ONE = {"per_page": 1, "_fields": "id"}
_READ = {"orders": _ONE, "customers": {**_ONE, "role": "all"}}


def store_steps(
    access: StoreAccess,
    route: Route | None = None,
    *,
    writes: bool,
    clock: Clock,
    observer: Observer | None = None,
) -> Iterator[Step]:
    """Yield the five steps as they end; `writes` says that the key must be allowed to write. Nothing is changed."""
    route = route or Route()
    test = _Test(access, replace(route, ca=route.ca or access.ca), writes, clock, observer)
    return run(
        SERVICE,
        [
            ("The store can be reached", test.reached),
            ("WordPress' REST API answers", test.is_wordpress),
            ("WooCommerce's API is there", test.has_woocommerce),
            ("The key and its rights", test.key),
            ("Data can be read", test.data),
        ],
    )


class _Test:
    """The five checks; what one finds the next may use."""

    def __init__(
        self, access: StoreAccess, route: Route, writes: bool, clock: Clock, observer: Observer | None
    ) -> None:
        self.access, self.route, self.writes, self.clock, self.observer = access, route, writes, clock, observer
        self.bare = Transport(SERVICE, route, observer)
        self.root = ""
        self.answer: Answer | None = None
        self.index: dict[str, Any] = {}
        self.hidden = False

    def reached(self) -> Finding:
        """Ask for the API's index without a key: any answer will do that does not send on."""
        self.root = f"{home(self.access.url)}/wp-json"
        ca, now = self.route.ca, self.clock.now()
        with authority.told(SERVICE, ca, now):
            self.answer = self.bare.send("GET", f"{self.root}/")
        if 300 <= self.answer.status < 400:
            signs.refuse_foreign(SERVICE, self.answer)
        found = Finding(f"The server answered in {self.answer.seconds:.1f} seconds.")
        found.facts["encrypted"] = self.answer.url.startswith("https:")
        signs.warn_of_clock(SERVICE, found, self.answer, now)
        authority.warn(SERVICE, found, ca, now)
        return found

    def is_wordpress(self) -> Finding:
        """Look for the index of the REST API, also where the Link header says that it is."""
        try:
            answer = self._index_answer()
        except ServiceError as shut:
            return self._without_index(shut)
        value = signs.json_of(answer)
        if not _is_index(value):
            return self._without_index(self._no_index(answer))
        self.index = dict(value)
        found = Finding(f"This is the WordPress site “{decoded_name(self.index.get('name'))}”.", self._about())
        signs.warn_of_print(SERVICE, found, answer)
        return found

    def has_woocommerce(self) -> Finding:
        """Look for wc/v3 among the namespaces (woo:427, woo:424)."""
        namespaces = [str(name) for name in self.index.get("namespaces") or []]
        if API in namespaces or self.hidden:
            return Finding(f"WooCommerce's API {API} is there.")
        if discovery.answers_to_key(self._client()):
            return _hidden(Finding(f"WooCommerce's API {API} answers to the key."))
        old = any(name in namespaces for name in _OLDER)
        raise Failed(SERVICE, "old_woocommerce" if old else "no_woocommerce", facts={"namespaces": namespaces})

    def _without_index(self, found: Failed | ServiceError) -> Finding:
        """Return that the API answers to the key although its index is hidden; raises what was found otherwise."""
        if found.code != "rest_disabled" or not discovery.answers_to_key(self._client()):
            raise found
        self.hidden = True
        return _hidden(Finding("This is a WordPress; it answers to the key.", {"rest_root": self.root}))

    def key(self) -> Finding:
        """Read with the key, and let the store refuse a write for its content where writing is needed."""
        if not self.access.key or not self.access.secret:
            raise Failed(SERVICE, "no_key")
        client = self._client()
        self._may_read(client)
        if self.writes:
            self._may_write(client)
        may = "read and write" if self.writes else "read"
        found = Finding(f"The key is valid and may {may}.")
        if HEADER_DROPPED in client.notices:
            found.warn(SERVICE, "header_dropped")
        return found

    def data(self) -> Finding:
        """Count orders and customers, and read the currency where the key's user may."""
        client = self._client()
        read = {area: client.get(area, params) for area, params in _READ.items()}
        totals = {area: max(_total(answer), len(rows)) for area, (rows, answer) in read.items()}
        facts: dict[str, Any] = {**totals, **self._extras(client)}
        found = Finding(f"{counted(totals['orders'], 'order')} and {counted(totals['customers'], 'customer')}.", facts)
        if not any(totals.values()):
            found.warn(SERVICE, "no_data")
        if any(rows and not _total(answer) for rows, answer in read.values()):
            found.warn(SERVICE, "totals_missing")
        if hidden_addresses.are_hidden(client):
            found.warn(SERVICE, HIDDEN)
        if any(signs.cached(answer) for _, answer in read.values()):
            found.warn(SERVICE, "cached_answer")
        if _older(str(facts.get("version", "")), CHANGES_SINCE):
            found.warn(SERVICE, "no_changes_list", version=facts["version"])
        return found

    def _client(self) -> StoreClient:
        return StoreClient(replace(self.access, rest_root=self.root), self.route, self.observer)

    def _index_answer(self) -> Answer:
        assert self.answer is not None, "the first step has run"
        if _is_index(signs.json_of(self.answer)):
            return self.answer
        signs.refuse_foreign(SERVICE, self.answer)
        front = f"{home(self.access.url)}/"
        elsewhere = linked_root(self.answer, self.access) or linked_root(self.bare.send("GET", front), self.access)
        if not elsewhere or elsewhere == self.root:
            return self.answer
        self.root = elsewhere
        return self.bare.send("GET", f"{self.root}/")

    def _no_index(self, answer: Answer) -> Failed | ServiceError:
        foreign = upstream.judge(SERVICE, answer)
        if foreign is not None and foreign.code == "no_woocommerce":
            # Where the index itself has no route it is not WooCommerce that is missing.
            return upstream.error_of("rest_disabled", SERVICE, answer)
        if foreign is not None and foreign.code == "rest_disabled":
            return foreign
        if self._is_mautic():
            return Failed(SERVICE, "mautic_as_store", facts=signs.facts_of(answer))
        return foreign or Failed(SERVICE, "not_wordpress", facts=signs.facts_of(answer))

    def _is_mautic(self) -> bool:
        try:
            answer = self.bare.send("GET", f"{home(self.access.url)}/api/users/self")
        except ServiceError:
            return False
        return signs.of_mautic(answer)

    def _about(self) -> dict[str, Any]:
        zone = text_of(self.index.get("timezone_string")) or f"UTC{offset_of(self.index.get('gmt_offset')):+g}"
        return {"name": decoded_name(self.index.get("name")), "time_zone": zone, "rest_root": self.root}

    def _may_read(self, client: StoreClient) -> None:
        areas = {**_READ, "webhooks": _ONE} if self.writes else _READ
        shut = [area for area, params in areas.items() if not self._readable(client, area, params)]
        if shut:
            raise Failed(SERVICE, "no_rights", facts=dict.fromkeys(shut, "no"), areas=", ".join(shut))

    def _readable(self, client: StoreClient, area: str, params: dict[str, Any]) -> bool:
        try:
            client.get(area, params)
        except AuthRejected as error:
            if error.code == "no_rights":
                return False
            if error.code == "clock":
                raise Failed(SERVICE, "clock", minutes=self._minutes_apart()) from error
            if error.code == "wrong_key" and client.access.secure and self._believes_http():
                raise Failed(SERVICE, "not_told_https", facts={"status": error.status}) from error
            raise
        return True

    def _believes_http(self) -> bool:
        """Sign as one does over http: a key that is known then, but not over https, was not looked at there (W02)."""
        auth = signature(replace(self.access, url="http://store.invalid", rest_root=""))
        answer = self.bare.send("GET", f"{self.root}/{API}/orders", params=_ONE, auth=auth)
        error = classify(answer)
        return error is None or error.code in _KEY_KNOWN

    def _may_write(self, client: StoreClient) -> None:
        """Post a webhook without its address.

        The store refuses a key that may not write (woo:182) before it misses the address (woo:322).
        """
        try:
            client.post("webhooks", {"topic": "order.created"})
        except Rejected:
            return
        except AuthRejected as error:
            # Reading worked just now, so a refused key lacks the right to write, in whatever language that was said.
            code = "no_rights" if error.code == "no_rights" else "read_only_key"
            raise Failed(SERVICE, code, facts={"status": error.status}, areas="webhooks") from error

    def _minutes_apart(self) -> int | str:
        ahead = signs.skew(self.answer, self.clock.now()) if self.answer else None
        return signs.minutes(ahead) if ahead is not None else "more than 15"

    def _extras(self, client: StoreClient) -> dict[str, Any]:
        """Return currency and version; a shop manager's key may not see all of it, so nothing is made of a refusal."""
        facts: dict[str, Any] = {}
        for name, (path, params, find) in _EXTRAS.items():
            try:
                value = find(client.get(path, params)[0])
            except (ServiceError, KeyError, TypeError):
                continue
            facts[name] = value
        return facts


_EXTRAS: dict[str, Any] = {
    "currency": ("data/currencies/current", None, lambda value: str(value["code"])),
    "version": (
        "system_status",
        {"_fields": "environment.version"},
        lambda value: str(value["environment"]["version"]),
    ),
}


def _hidden(found: Finding) -> Finding:
    found.warn(SERVICE, "index_hidden")
    return found


def _is_index(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("namespaces"), list)


def _total(answer: Answer) -> int:
    told = answer.headers.get("x-wp-total", "")
    return int(told) if told.isdigit() else 0


def _older(version: str, than: tuple[int, int]) -> bool:
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < than
