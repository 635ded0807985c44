"""The demo's two ends in a process of their own: a shop that lives and an empty Mautic.

Prints one line of JSON with addresses and credentials, then serves until its standard input ends, so that it never
outlives the process that started it. A line of JSON there, {"script": HTML}, is what the shop's owner pastes into its
pages.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from integration.sandbox.authority import Authority
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.seed import seed as seed_mautic
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed as seed_store
from integration.sandbox.store.demo_shopper import Shopper
from integration.sandbox.store.state import VERSIONS as STORE_VERSIONS

VERSIONS = {"5.2": "5.2.1", "7.0": "7.0.0"}


def main() -> None:
    """Start both servers, tell where they are, and shop until the parent is gone."""
    parser = argparse.ArgumentParser(prog="sandbox")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--store-port", type=int, default=0)
    parser.add_argument("--mautic-port", type=int, default=0)
    parser.add_argument("--mautic-version", choices=VERSIONS, default="5.2")
    parser.add_argument("--store-version", choices=STORE_VERSIONS, default=STORE_VERSIONS[0])
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--interval", type=float, default=20.0)
    parser.add_argument("--https", action="store_true", help="signed by an authority of their own")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    authority = Authority() if asked.https else None
    tls = authority.context() if authority else None
    version = VERSIONS[asked.mautic_version]
    with (
        StoreServer(asked.store_port, asked.folder / "store.json", tls) as store,
        MauticServer(asked.mautic_port, asked.folder / "mautic.json", version=version, ssl_context=tls) as mautic,
    ):
        store.state.version = asked.store_version
        if not store.state.orders:
            seed_store(store.state, customers=asked.customers, orders=asked.orders)
        if not mautic.state.emails:
            seed_mautic(mautic.state)
        print(json.dumps(_whereabouts(store, mautic, authority.pem if authority else "")), flush=True)
        with Shopper(store.shop, interval=asked.interval):
            _listen(store)


def _listen(store: StoreServer) -> None:
    """Put what the parent sends into the shop's pages, until the parent is gone."""
    for line in sys.stdin:
        store.storefront.script = json.loads(line)["script"]


def _whereabouts(store: StoreServer, mautic: MauticServer, ca: str) -> dict[str, str]:
    return {
        "store_ca": ca,
        "mautic_ca": ca,
        "store_url": store.url,
        "store_key": store.credentials.key,
        "store_secret": store.credentials.secret,
        "mautic_url": mautic.url,
        "mautic_client_id": mautic.credentials.client_id,
        "mautic_client_secret": mautic.credentials.client_secret,
    }


if __name__ == "__main__":
    main()
