"""Test connection, Mautic's side (E2): reachable, a Mautic, API on, credentials and rights, fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from integration.clock import Clock
from integration.errors import AuthRejected, Rejected, ServiceError
from integration.http import upstream
from integration.http.transport import Answer, Observer, Route, Transport
from integration.mapping.fields import check
from integration.mautic import probe, rights
from integration.mautic.access import MauticAccess, TokenBox, root
from integration.mautic.answers import SERVICE, first_problem
from integration.mautic.client import MauticClient
from integration.mautic.fields import Fields, required_aliases, unique_aliases
from integration.operations.support.diagnostics import authority, signs
from integration.operations.support.diagnostics.steps import Failed, Finding, Step, run
from integration.plans import FieldNeed

#: Without these nothing is synced; without the others single features do not work.
ESSENTIAL = ("contacts", "writing contacts", "fields")
_UNFIT = {"wrong_type", "too_short", "unpublished"}


def mautic_steps(
    access: MauticAccess,
    tokens: TokenBox,
    needs: Sequence[FieldNeed],
    clock: Clock,
    route: Route | None = None,
    observer: Observer | None = None,
) -> Iterator[Step]:
    """Yield the five steps as they end; nothing is changed in Mautic."""
    test = _Test(access, tokens, needs, clock, route or Route(ca=access.ca), observer)
    return run(
        SERVICE,
        [
            ("Mautic can be reached", test.reached),
            ("The address is a Mautic", test.is_mautic),
            ("The API is switched on", test.api_on),
            ("Credentials and rights", test.rights),
            ("Fields for the modules", test.fields),
        ],
    )


class _Test:
    """The five checks; what one finds the next may use."""

    def __init__(
        self,
        access: MauticAccess,
        tokens: TokenBox,
        needs: Sequence[FieldNeed],
        clock: Clock,
        route: Route,
        observer: Observer | None,
    ) -> None:
        self.access, self.needs, self.clock, self.ca = access, needs, clock, route.ca
        self.bare = Transport(SERVICE, route, observer)
        self.client = MauticClient(access, tokens, clock, route, observer)
        self.answer: Answer | None = None
        self.who: probe.Identity | None = None
        self.refusal: ServiceError | None = None

    def reached(self) -> Finding:
        """Ask without credentials: any answer will do that does not send on."""
        now = self.clock.now()
        with authority.told(SERVICE, self.ca, now):
            self.answer = self.bare.send("GET", f"{root(self.access.url)}/api/users/self")
        if 300 <= self.answer.status < 400:
            signs.refuse_foreign(SERVICE, self.answer)
        found = Finding(f"The server answered in {self.answer.seconds:.1f} seconds.")
        found.facts["encrypted"] = self.answer.url.startswith("https:")
        signs.warn_of_clock(SERVICE, found, self.answer, now)
        authority.warn(SERVICE, found, self.ca, now)
        return found

    def is_mautic(self) -> Finding:
        """Look who refused us.

        Mautic names an error's type (mautic:001), and its version once we are signed in (mautic:019).
        """
        answer = self._answer()
        known = signs.of_mautic(answer)
        if not known or answer.status == 429 or answer.status >= 500:
            signs.refuse_foreign(SERVICE, answer)
        if known and answer.status >= 500:
            raise Failed(SERVICE, "crashed", facts=_seen(answer))
        if not known:
            raise self._other(answer)
        if not self._api_off():
            self._sign_in()
        version = self.client.version
        name = f"This is Mautic {version}." if version else "This is a Mautic; it tells its version after signing in."
        found = Finding(name, {"version": version} if version else {})
        signs.warn_of_print(SERVICE, found, answer)
        return found

    def api_on(self) -> Finding:
        """Tell by the first answer whether the API is off (mautic:355) or unknown to the web server (dossier M09)."""
        if self._api_off():
            raise Failed(SERVICE, "api_disabled", facts=_seen(self._answer()))
        if self._answer().status == 404:
            raise Failed(SERVICE, "no_route", facts=_seen(self._answer()))
        return Finding("The API is switched on.")

    def rights(self) -> Finding:
        """Say who we are, and look into each area, and whether contacts may be written."""
        if self.refusal is not None:
            raise self.refusal
        granted = {area: self._granted(partial(probe.check, self.client, area)) for area in probe.AREAS}
        granted["writing contacts"] = self._granted(self._refused_contact)
        facts = {area.replace(" ", "_"): "yes" if allowed else "no" for area, allowed in granted.items()}
        missing = [area for area, allowed in granted.items() if not allowed]
        if set(missing) & set(ESSENTIAL):
            raise Failed(SERVICE, "missing_rights", facts=facts, areas=_listed(missing), rights=_wanted(missing))
        found = Finding(self._greeting(), facts)
        if missing:
            found.warn(SERVICE, "some_rights_missing", areas=_listed(missing), rights=_wanted(missing))
        return found

    def fields(self) -> Finding:
        """Compare Mautic's field list with what the modules need."""
        known = Fields(self.client).read()
        states = check(tuple(self.needs), known)
        missing = [state.need.alias for state in states if state.state == "missing"]
        unfit = [f"{state.need.alias}: {state.state.replace('_', ' ')}" for state in states if state.state in _UNFIT]
        found = Finding(_counted(len(states), len(states) - len(missing) - len(unfit)))
        if missing:
            found.facts["missing"] = missing
            found.warn(SERVICE, "fields_missing", fields=_listed(missing))
        if unfit:
            found.facts["unfit"] = unfit
            found.warn(SERVICE, "fields_unfit", fields=_listed(unfit))
        doubled = [alias for need in self.needs for alias in known if re.fullmatch(rf"{need.alias}\d+", alias)]
        if doubled:
            found.warn(SERVICE, "fields_doubled", fields=_listed(doubled))
        unique = sorted(unique_aliases(known))
        if unique:
            found.facts["unique"] = unique
            found.warn(SERVICE, "fields_unique", fields=_listed(unique))
        required = sorted(required_aliases(known))
        if required:
            found.facts["required"] = required
            found.warn(SERVICE, "fields_required", fields=_listed(required))
        return found

    def _answer(self) -> Answer:
        assert self.answer is not None, "the first step has run"
        return self.answer

    def _api_off(self) -> bool:
        problem = first_problem(signs.json_of(self._answer()))
        return problem is not None and problem.type == "api_disabled"

    def _other(self, answer: Answer) -> Failed | ServiceError:
        """Return what is at the address instead: Mautic without its rewrite rule (M09), WordPress, or another site."""
        behind = self._look("index.php/api/users/self")
        if behind is not None and signs.of_mautic(behind):
            return Failed(SERVICE, "rewrite_missing", facts=_seen(answer))
        if self._is_wordpress():
            return Failed(SERVICE, "store_as_mautic", facts=_seen(answer))
        return upstream.judge(SERVICE, answer) or Failed(SERVICE, "not_mautic", facts=_seen(answer))

    def _is_wordpress(self) -> bool:
        answer = self._look("wp-json/")
        value = signs.json_of(answer) if answer else None
        return (isinstance(value, dict) and "namespaces" in value) or (
            answer is not None and upstream.of_wordpress(answer)
        )

    def _look(self, path: str) -> Answer | None:
        try:
            return self.bare.send("GET", f"{root(self.access.url)}/{path}")
        except ServiceError:
            return None

    def _sign_in(self) -> None:
        # The refusal belongs to a later step; here only the version is wanted.
        try:
            self.who = probe.identity(self.client)
        except ServiceError as error:
            self.refusal = error

    def _granted(self, look: Callable[[], None]) -> bool:
        try:
            look()
        except AuthRejected as error:
            if error.code != "no_right":
                raise
            return False
        return True

    def _refused_contact(self) -> None:
        """Post a contact that Mautic must refuse.

        403 comes before its values are looked at (mautic:346), 400 after (mautic:030).
        """
        try:
            value = self.client.post("contacts/new", {"email": "not-an-email", "country": "Nowhere"})
        except Rejected:
            return
        contact = value.get("contact") if isinstance(value, dict) else None
        if isinstance(contact, dict) and isinstance(contact.get("id"), int):
            self.client.delete(f"contacts/{contact['id']}/delete")

    def _greeting(self) -> str:
        if self.who is None:
            return "The credentials are valid, and they have the rights that are needed."
        role = f" ({self.who.role})" if self.who.role else ""
        return f"Signed in as {self.who.name}{role}."


def _seen(answer: Answer) -> dict[str, object]:
    return signs.facts_of(answer)


def _counted(needed: int, fit: int) -> str:
    if not needed:
        return "The modules that are on need no fields of their own."
    return f"{'All' if fit == needed else f'{fit} of'} {needed} needed fields are there and fit."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def _wanted(areas: Sequence[str]) -> str:
    needed = (rights.needed("contacts" if area == "writing contacts" else area) for area in areas)
    hints = (upstream.texts_of(SERVICE, "no_right", area=area, right=right)[1] for area, right in needed)
    return " ".join(dict.fromkeys(hints))
