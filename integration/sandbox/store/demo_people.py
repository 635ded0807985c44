"""The people of the demo shop: names, addresses and e-mails as unruly as those that were recorded."""

from __future__ import annotations

import random
from typing import Any

FIRST = (
    "Anna",
    "José",
    "Łukasz",
    "Jürgen",
    "محمد",
    "太郎",
    "สมชาย",
    "Chloé",
    "İbrahim",
    "Ann Marie",
    "דוד",
    "राज",
    "🦄✨",
    "<b>Bob</b>",
    "  Leading\t",
    "Back\\slash",
    "",
)
LAST = (
    "Rossi",
    "Иванова",
    "Schröder",
    "O'Brien",
    "García-López",
    "de la Cruz",
    "山田",
    "Smith & Sons",
    "Kowalska",
    '"><script>alert(1)</script>',
    "Trailing \u00a0",
    "Per%cent _under",
    "👨\u200d👩\u200d👧\u200d👦",
    "\u202bالحربي\u202c",
    "",
)
STREETS = (
    "Via Garibaldi 12",
    "Hauptstraße 7",
    "1 rue de l’Église",
    "渋谷区神南1-1-1",
    "C/ Mayor nº 3, 2º izq.",
    "Line one, with comma; and 'quotes'",
    "شارع الملك فهد",
)
# city, state, postcode, country, phone
PLACES = (
    ("Milano", "MI", "20121", "IT", "+39 02 1234567"),
    ("Roma", "RM", "00118", "IT", "3331234567"),
    ("München", "DE-BY", "80331", "DE", "+49 (0)89 / 12 34 56"),
    ("Orléans", "", "45000", "FR", "06 12 34 56 78"),
    ("London", "Greater London", "SW1A 1AA", "GB", "020 7946 0958"),
    ("東京", "JP13", "100-0001", "JP", "03-1234-5678"),
    ("Los Angeles", "CA", "90001", "US", "(555) 010-9999"),
    ("São Paulo", "SP", "01310-100", "BR", ""),
    ("Dublin", "D", "D02 X285", "IE", "00353 1 555 1234"),
    ("دبي", "", "", "AE", "+971 4 123 4567"),
)
NOWHERE = ("Nowhere", "", "00000", "XX", "n/a")
LONG_NAME = "Wolfeschlegelstein" * 12
LONG_STREET = "Strada provinciale molto lunga e tortuosa numero trecento " * 5 + "interno 123"
FORBIDDEN = "a_b-c.d!#%&*+/=?^{|}~14@sub.sub2.example.co.uk"
ENDLESS = "g" + "l" * 62 + "@" + "a" * 60 + "." + "b" * 60 + "." + "c" * 50 + ".example.com"


def email(chance: random.Random, number: int, word: str) -> str:
    """Return an e-mail of a person: mostly plain, now and then with a plus, in capitals, quoted or very long."""
    plain = f"{word}{number}@example.com"
    odd = {
        3: f"{word}+shop{number}@example.com",
        7: plain.upper(),
        11: f"o'brien{number}@example.com",
        19: f"max{number}@xn--mnchen-3ya.de",
        29: ENDLESS.replace("g", f"g{number}", 1),
        37: FORBIDDEN.replace("14@", f"{number}@"),
    }
    return next((text for every, text in odd.items() if number % every == every - 1), plain)


def address(chance: random.Random, number: int, mail: str) -> dict[str, str]:
    """Return a billing address; one in forty is 300 characters long, one in fifty in no known country."""
    city, state, postcode, country, phone = NOWHERE if number % 50 == 49 else chance.choice(PLACES)
    street = LONG_STREET[:300] if number % 40 == 39 else chance.choice(STREETS)
    first = LONG_NAME if number % 60 == 59 else chance.choice(FIRST)
    return {
        "first_name": first,
        "last_name": chance.choice(LAST),
        "company": "Ditta & Co. S.r.l." if number % 9 == 0 else "",
        "address_1": street,
        "address_2": "",
        "city": city,
        "state": state,
        "postcode": postcode,
        "country": country,
        "email": mail,
        "phone": phone,
    }


def meta(chance: random.Random, number: int) -> list[dict[str, Any]]:
    """Return meta data of every JSON type (woo:060), and where the buyer came from."""
    source = chance.choice(("google", "facebook.com", "newsletter", "(direct)"))
    entries: list[dict[str, Any]] = [
        {"key": "_wc_order_attribution_source_type", "value": chance.choice(("utm", "organic", "referral", "admin"))},
        {"key": "_wc_order_attribution_utm_source", "value": source},
        {"key": "newsletter_consent", "value": chance.choice(("1", "0", "", "yes"))},
    ]
    if number % 10 == 0:
        entries += [
            {"key": "odd_meta", "value": {"a": {"b": {"c": None, "d": 1.5, "e": True}}, "list": [1, "2", 3]}},
            {"key": "odd_html", "value": '<p class="x">ciao & "hola"</p>'},
            {"key": "odd_number", "value": 42},
            {"key": "odd_list", "value": []},
        ]
    return entries
