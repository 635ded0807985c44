"""The texts of the diagnostics: error code -> (what is wrong, what to do); those of answers are the judge's.

Gaps in the texts: {name} is "the store" or "Mautic", {place} "the store's address" or "Mautic's address", {paste_at}
where an authority is pasted; others come with the code.
"""

from __future__ import annotations

from integration.http.signatures import TEXTS
from integration.mapping.emails import HIDDEN, HIDDEN_CAUSE

Advice = tuple[str, str]

_REACHING: dict[str, Advice] = {
    "bad_address": (
        "{place} cannot be used as it is written.",
        "Write it with https:// in front, as it stands in the browser's address bar.",
    ),
    "private_address": (
        "{place} leads into a private network, which this installation may not call.",
        "Use the public address, or name the host in the setting PRIVATE_HOSTS.",
    ),
    "dns": (
        "DNS: the host name in {place} does not exist.",
        "Check its spelling; if it was made just now, wait until the name has spread.",
    ),
    "refused": (
        "TCP: the server is there, but refuses the connection.",
        "Check that the web server runs and that the port in the address is right.",
    ),
    "timeout": (
        "TCP: no answer came in time.",
        "Check the address and the firewall; if the site is only slow, look at the load of its server.",
    ),
    "tls": (
        "TLS: no secure connection could be made.",
        "Check that the address serves https, and the certificate with its dates, names and chain.",
    ),
    "self_signed": (
        "TLS: the certificate is self-signed, so nobody vouches for it.",
        "Install a certificate of a known authority (Let's Encrypt is free), or paste this one {paste_at}.",
    ),
    "tls_chain": (
        "TLS: the certificate comes from an authority that is not known here, or its chain is incomplete.",
        "If the authority is your own, paste its certificate {paste_at}; if not, let the server send the intermediate "
        "certificates (fullchain.pem).",
    ),
    "foreign_authority": (
        "TLS: the certificate comes from another authority than the one that is kept here, or its chain is incomplete.",
        "Paste the certificate of the authority that signed it {paste_at}.",
    ),
    "authority_unread": (
        "TLS: the own certificate authority was kept as the path of a file, and that file could not be read.",
        "Paste the certificate {paste_at}.",
    ),
    "authority_ended": (
        "TLS: the own certificate authority “{subject}” is valid from {begins} until {ends} only.",
        "Paste the authority's new certificate {paste_at}.",
    ),
    "authority_ends": (
        "TLS: the own certificate authority “{subject}” is valid until {day} only.",
        "Ask whoever runs it for the next certificate, and paste it {paste_at}, below the one that is there.",
    ),
    "tls_expired": (
        "TLS: the certificate has expired.",
        "Renew the certificate, and check that its renewal runs by itself.",
    ),
    "tls_name": (
        "TLS: the certificate was made for another host name.",
        "Use the name that is in the certificate, or get one for this name; check www.",
    ),
    "cut": (
        "{name} closed the connection before its answer was complete.",
        "Try again; if it stays so, look at the error log of its web server.",
    ),
    "too_large": ("{name} sent far more than such an answer can have.", "Look at what the address serves."),
    "unreachable": ("{name} could not be reached.", "Check the address, and try again in a minute."),
}

_IN_FRONT: dict[str, Advice] = {
    "php_notice": (
        "PHP prints a notice or warning before the JSON, or something stands behind it; that is cut off.",
        "Set display_errors off (WordPress: WP_DEBUG_DISPLAY false) on its server, and mend what is printed.",
    ),
    "bom": (
        "A byte order mark stands before the JSON; it works, because that is cut off.",
        "Save the PHP file that begins with it (often functions.php or wp-config.php) as UTF-8 without BOM.",
    ),
    "slow": (
        "{name} is slow: this step took {seconds} seconds.",
        "Imports will take long; look at the server's load, and ask its host for more memory and processes.",
    ),
    "clock_skew": (
        "The clocks differ: {name} is {minutes} minutes {direction}.",
        "Set both servers' clocks by NTP; signatures over http fail from 15 minutes on.",
    ),
}

_STORE: dict[str, Advice] = {
    "old_woocommerce": (
        "The store's WooCommerce is too old: it has no API version 3.",
        "Update WooCommerce to 5.8 or newer.",
    ),
    "no_key": ("No REST key of the store is entered.", "Make one under WooCommerce, Settings, Advanced, REST API."),
    "header_dropped": (
        "The store's web server drops the Authorization header, so the key is sent in the address instead.",
        "Set CGIPassAuth On (Apache) or fastcgi_param HTTP_AUTHORIZATION $http_authorization (nginx) there.",
    ),
    "not_told_https": (
        "The store does not know that it is asked over https, so it does not look at the key.",
        "A proxy ends TLS in front of it: pass X-Forwarded-Proto on, and set $_SERVER['HTTPS']='on' in wp-config.php.",
    ),
    "totals_missing": (
        "The store's lists come without their totals (X-WP-Total), so progress cannot be told.",
        "A cache, CDN or plugin takes the header away: exempt /wp-json/wc/* from it.",
    ),
    "cached_answer": (
        "The store's answer came out of a cache, so changes would be seen late.",
        "Exempt /wp-json/wc/* from the cache (page cache plugin, CDN, host).",
    ),
    "no_changes_list": (
        "WooCommerce {version} cannot list what has changed, so everything is read each time.",
        "Update WooCommerce to 5.8 or newer.",
    ),
    HIDDEN: HIDDEN_CAUSE,
    "index_hidden": (
        "The store hides the index of its API, but the API answers to the key.",
        "Nothing to do: all is synced; only the name and the time zone of the store are not told.",
    ),
    "no_data": ("There are no orders and no customers yet.", "Nothing to do: they are synced as they come."),
}

_MAUTIC: dict[str, Advice] = {
    "missing_rights": (
        "The Mautic account lacks rights that every sync needs: {areas}.",
        "{rights}",
    ),
    "some_rights_missing": (
        "The Mautic account lacks rights for {areas}; what uses them will not work.",
        "{rights}",
    ),
    "crashed": (
        "Mautic fails at every call with its error #500.",
        "Check that its database runs, clear its cache (rm -rf var/cache/*), run bin/console "
        "doctrine:migrations:migrate, and look at var/logs.",
    ),
    "rewrite_missing": (
        "Mautic is here, but its web server finds the API behind index.php only.",
        "Send all paths to index.php: AllowOverride All (Apache) or try_files $uri /index.php$is_args$args (nginx).",
    ),
    "fields_doubled": (
        "Mautic has fields twice ({fields}); values go into the first one of each.",
        "Delete those with a digit at the end in Mautic, after a look into segments and forms that use them.",
    ),
    "fields_missing": (
        "Mautic lacks fields that the modules write ({fields}); without them those values are lost.",
        "Create them with one click on the tab Mautic Fields.",
    ),
    "fields_required": (
        "Mautic refuses new contacts without a value for {fields}, as these are required.",
        "Switch off Required for all fields but Email in Mautic, under Custom Fields.",
    ),
    "fields_unique": (
        "Mautic takes contacts with the same value of {fields} for one person, as these are unique identifiers.",
        "Switch off “Is Unique Identifier” for all fields but Email in Mautic, under Custom Fields.",
    ),
    "fields_unfit": (
        "Fields in Mautic do not fit what the modules write ({fields}).",
        "Change them in Mautic, or delete them there and create them on the tab Mautic Fields.",
    ),
}

ADVICE: dict[str, Advice] = {**TEXTS, **_REACHING, **_IN_FRONT, **_STORE, **_MAUTIC}
