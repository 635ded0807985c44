"""What becomes of a plan by the person's consent (P18): it goes out, goes out with Do Not Contact, or is left out.

People without consent are skipped, or written with Do Not Contact, as the settings say. Who has consented before and
takes it back gets Do Not Contact in both cases as far as we know the contact: left as it is, it would be mailed on.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from integration.mapping import consent
from integration.mapping.consent import Standing
from integration.models.connector import Connector
from integration.plans import ContactWrite, DoNotContact, Plan, Skip
from integration.settings import ConsentModule
from integration.settings.consent import DNC

#: Key of a contact's hashes: whether we have put it on Do Not Contact, or seen that nothing of ours is there.
DNC_KEY = "consent.#dnc"
SET, CLEAR = "set", "clear"
#: Skips that do not keep a withdrawal from Mautic: the person is a contact, whatever this record would have said.
PASSED = frozenset({"not_on_change", "role", "status_not_synced"})


def comment_of(connector: Connector) -> str:
    """Return by what our entries of Do Not Contact are known in Mautic; another shop's are its own."""
    shop = urlsplit(connector.store_url).hostname or connector.store_url
    return f"No marketing consent at {shop} (woo-mautic)"


def passed(
    made: Plan | Skip, standing: Standing, module: ConsentModule, comment: str, confirmed: str | None, email: str
) -> Plan | Skip:
    """Return what a record that needs consent comes to.

    `confirmed` is the contact's DNC_KEY, "" where it was never looked at, None for who is no contact of ours.
    """
    barred = DoNotContact(True, comment)
    stop = standing.withdrawn and confirmed not in (None, SET)
    if isinstance(made, Skip):
        return _stopped(email, barred) if stop else made
    if standing.given:
        may_be_ours = confirmed == SET or (confirmed == "" and (module.without == DNC or standing.again))
        cleared = DoNotContact(False, comment) if may_be_ours else None
        return replace(made, contact=replace(made.contact, do_not_contact=cleared))
    if module.without == DNC:
        return replace(made, contact=replace(made.contact, do_not_contact=barred))
    return _stopped(made.contact.email, barred) if stop else consent.skip(module)


def _stopped(email: str, barred: DoNotContact) -> Plan:
    return Plan(ContactWrite(email, do_not_contact=barred))
