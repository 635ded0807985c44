"""The routes of customers."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import accounts, customer_json, emails, rest_format
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.params import ORDER, PAGING, Param, anything, listed, numbers, one_of, read, whole_number
from integration.sandbox.store.people import Person
from integration.sandbox.store.problems import Refused, missing, no_trash
from integration.sandbox.store.state import State

ROLES = ("all", "administrator", "editor", "author", "contributor", "subscriber", "customer", "shop_manager")
PARAMS = (
    *PAGING,
    Param("search", anything),
    Param("exclude", numbers),
    Param("include", numbers),
    Param("offset", whole_number(0)),
    Param("order", ORDER, "asc"),
    Param("orderby", one_of("id", "include", "name", "registered_date"), "name"),
    Param("email", anything),
    Param("role", one_of(*ROLES), "customer"),
)
STYLE = Style("/wc/v3/customers")


def index(state: State, request: ApiRequest) -> ApiAnswer:
    """List accounts; modified_after is silently ignored and orderby=modified refused (woo:091 and woo:092)."""
    values = read(request, PARAMS)
    page = Page.of(values)
    persons = _sorted([person for person in state.people.values() if _matches(person, values)], values)
    shown = [customer_json.show(state, person, request.root) for person in page.cut(persons)]
    return answer(request, page, len(persons), shown, STYLE)


def _matches(person: Person, values: dict[str, Any]) -> bool:
    if values["role"] not in ("all", person.role):
        return False
    if values["email"] and person.email.lower() != str(values["email"]).lower():
        return False
    if values["include"] and str(person.id) not in listed(values["include"]):
        return False
    if values["exclude"] and str(person.id) in listed(values["exclude"]):
        return False
    # The search looks at the account's e-mail, never at the billing e-mail (woo:457 and woo:458).
    return not values["search"] or str(values["search"]).lower() in person.email.lower()


def _sorted(persons: list[Person], values: dict[str, Any]) -> list[Person]:
    keys = {
        "id": lambda person: person.id,
        "name": lambda person: (person.name, person.id),
        "registered_date": lambda person: (person.created, person.id),
    }
    if values["orderby"] == "include":
        places = {int(number): place for place, number in enumerate(listed(values["include"] or ""))}
        return sorted(persons, key=lambda person: places.get(person.id, len(places)))
    return sorted(persons, key=keys[values["orderby"]], reverse=values["order"] == "desc")


def _shown(state: State, request: ApiRequest, person: Person, status: int = 200) -> ApiAnswer:
    shown = customer_json.show(state, person, request.root)
    found = rest_format.pick(shown, request.fields)
    if request.fields:
        found["_links"] = shown["_links"]
    if status == 201:
        return ApiAnswer(status, found, [("Location", shown["_links"]["self"][0]["href"])])
    allowed = shown["_links"]["self"][0]["targetHints"]["allow"]
    return ApiAnswer(status, found, [("Allow", ", ".join(allowed))])


def one(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return an account."""
    return _shown(state, request, state.person(number))


def create(state: State, request: ApiRequest) -> ApiAnswer:
    """Open an account; raises Refused without an e-mail or with one that is taken."""
    fields = request.payload()
    if not fields.get("email"):
        raise missing("email")
    if not emails.is_valid(str(fields["email"])):
        raise Refused(400, "registration-error-invalid-email", "Please provide a valid email address.")
    return _shown(state, request, accounts.register(state, fields), 201)


def edit(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Change an account."""
    return _shown(state, request, accounts.edit(state, state.person(number), request.payload()))


def delete(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Delete an account; only with force (woo:163)."""
    person = state.person(number)
    if not request.flag("force"):
        raise no_trash("Customers")
    shown = _shown(state, request, person)
    # The account is gone when its links are written, so they say no more what may be done (woo:164).
    shown.body["_links"]["self"][0].pop("targetHints")
    shown.headers, shown.names_verbs = [], False
    accounts.delete(state, person)
    return shown


def downloads(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return what a customer may download: nothing in this shop (woo:119)."""
    state.person(number)
    return ApiAnswer(200, [])
