"""How Mautic is known to fail."""

from __future__ import annotations

from integration.operations.support.diagnostics.catalogue.known import COMPARED, FIELDS, SYNC, Known

_BY_ITSELF = "Nothing to do: it is tried again by itself"

MAUTIC = (
    Known("M01", "The API is switched off.", "api_disabled"),
    Known("M02", "HTTP basic auth is switched off.", "basic_disabled"),
    Known("M03", "Mautic says that no credentials came, although they were sent.", "header_lost"),
    Known("M04", "User name or password are refused.", "wrong_credentials"),
    Known("M05", "The client id or secret is unknown.", "invalid_client"),
    Known("M06", "The request for a token is not understood.", "invalid_request"),
    Known("M07", "The client may not sign in with client credentials.", "unauthorized_client"),
    Known("M08", "A fresh access token is refused too.", "token_refused"),
    Known("M09", "Each address of the API is unknown, although the API is on.", "no_route"),
    Known(
        "M10",
        "The address ends with a slash, or has two in a row.",
        "",
        hint="Nothing to do: addresses are put right before they are used.",
    ),
    Known("M11", "The address is http and sends on to https.", "redirect_https"),
    Known("M12", "The address sends on to itself without end.", "redirect_loop"),
    Known("M13", "The answer is not Mautic's: another web site, or WordPress.", "not_mautic"),
    Known("M14", "The page “Site is offline” comes with status 500.", "site_offline"),
    Known(
        "M15",
        "One record alone makes Mautic fail with error #500.",
        "server_fault",
        SYNC,
        "Look at the dead letter: correct the value in the store, or leave its field out; Mautic's var/logs name it.",
    ),
    Known("M16", "Every call fails with error #500.", "crashed"),
    Known(
        "M17",
        "A batch of more than 200 records is refused.",
        "server_fault",
        SYNC,
        "Nothing to do: batches never grow beyond 200, and one that fails is halved.",
    ),
    Known(
        "M18",
        "Mautic refuses a change because several contacts have the address.",
        "duplicate_in_mautic",
        SYNC,
        "Merge them in Mautic: run bin/console mautic:contacts:deduplicate, then send the dead letter again.",
    ),
    Known(
        "M19",
        "A country, state or language is not in Mautic's list.",
        "refused",
        SYNC,
        "Correct the value in the store; until then other spellings are tried and the value is left out.",
    ),
    Known(
        "M20",
        "A value is longer than its field.",
        "refused",
        SYNC,
        "Raise the length of the field in Mautic, or make it a textarea; until then values are shortened.",
    ),
    Known("M21", "An e-mail address is refused.", "email_refused", SYNC, "Correct the address in the store."),
    Known(
        "M22",
        "A field keeps its old value although Mautic said yes.",
        "differs",
        SYNC,
        "Publish the field in Mautic, add the value to its list, or mind that Mautic ignores zero.",
    ),
    Known(
        "M23",
        "A new field stays empty, because Mautic makes its column in the background.",
        "unpublished",
        FIELDS,
        "Let cron run bin/console mautic:custom-field:create-column, and wait until the field is published.",
    ),
    Known("M24", "A field is there twice, the second one with a digit at its end.", "fields_doubled"),
    Known(
        "M25",
        "The contact table takes no more fields.",
        "too_many_fields",
        FIELDS,
        "Delete fields that nobody uses, shorten text fields, or make long ones a textarea; then create it again.",
    ),
    Known(
        "M26",
        "Notes alone are refused.",
        "some_rights_missing",
        hint="Give the role of the account administrator's rights: up to Mautic 7.1 notes need them.",
    ),
    Known(
        "M27",
        "A contact cannot be added to a segment.",
        "segment_gone",
        SYNC,
        "Publish the segment in Mautic, make it visible to other users, and give the role the right to see segments.",
    ),
    Known(
        "M28",
        "Mautic does not send an e-mail.",
        "not_sent",
        SYNC,
        "Look at the contact's “do not contact”, its address, and Mautic's e-mail settings.",
    ),
    Known("M29", "Too many calls in a short time.", "throttled"),
    Known("M30", "The contact is open in Mautic's editor.", "locked", SYNC, f"{_BY_ITSELF} once the editor is closed."),
    Known(
        "M31",
        "Parallel calls fail now and then.",
        "server_fault",
        SYNC,
        f"{_BY_ITSELF}; if it happens often, lower the number of lanes (sync.lanes) to 1.",
    ),
    Known("M32", "A wall against bots, such as Cloudflare's, answers instead.", "bot_wall"),
    Known(
        "M33",
        "The web server refuses the methods PATCH and DELETE.",
        "method_blocked",
        SYNC,
        "Allow PATCH, PUT and DELETE for /api there; until then X-HTTP-Method-Override is used.",
    ),
    Known(
        "M34", "Mautic takes too long.", "timeout", hint="Look at the load of its server: cron jobs, opcache, memory."
    ),
    Known("M35", "PHP prints a notice in front of the JSON.", "php_notice"),
    Known(
        "M36",
        "Contacts are there twice.",
        "doubled",
        COMPARED,
        "Let cron run bin/console mautic:contacts:deduplicate; forms and other plugins make such contacts.",
    ),
)
