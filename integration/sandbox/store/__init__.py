"""A stand-in WooCommerce store on a real socket, answering as the recordings do."""

from __future__ import annotations

from integration.sandbox.store.bulk import seed_bulk
from integration.sandbox.store.demo_shop import seed
from integration.sandbox.store.demo_shopper import Shopper
from integration.sandbox.store.server import StoreServer
from integration.sandbox.store.shop import Shop

__all__ = ["Shopper", "Shop", "StoreServer", "seed", "seed_bulk"]
