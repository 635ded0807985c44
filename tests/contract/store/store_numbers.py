"""Numbers of the recordings that tests replay one by one; test_store_coverage.py counts them."""

from __future__ import annotations

from integration.sandbox.store.auth import Pair

UNKNOWN = Pair("ck_" + "0" * 40, "cs_" + "0" * 40)
LISTS = (7, 8, *range(10, 40))
ITEMS = tuple(range(41, 84))
PARTS = (84, 85, 86, 475)
CUSTOMERS = (*range(87, 120), 457, 458, 474)
GOODS = (120, *range(122, 132), 133, 134, 135, 136, 138)
REFUSED = (*range(190, 206), 207, 208, 372)
SEARCHES = (459, 460, 461, 466, 467, 468, 472, 473)
UNSCRAMBLED = tuple(range(482, 497))
EXACT = (
    *(4, 6, 188, 427, *LISTS, *ITEMS, *PARTS, *CUSTOMERS, *GOODS, *SEARCHES, *UNSCRAMBLED),
    *(number for number in REFUSED if number != 205),
)
# These have numbers of the shop's own in them, or less than the whole: names and kinds are compared.
SHAPED = (121, 132)
LATER = (175, 186, 187, 189, 209, 210, 421, 430, 447)
PLUGIN_OFF = (424, 425, 426)
MAINTENANCE = (428, 429, 448)
PLAIN = (413, 414, 415, 416, 422)
BROKEN = (432, 433, 434, 435, 436, 439, 440, 441, 442, 443, 449, 450)
SPOILT = (437, 438, 445)
SIGNED_WRONGLY = {
    169: {"oauth_consumer_key": UNKNOWN.key},
    170: {"secret": "cs_wrong"},
    177: {"oauth_timestamp": "1795203160"},
    178: {"oauth_timestamp": "1795205080"},
    180: {"oauth_nonce": None},
    181: {"at_host": "http://localhost:8082"},
}
