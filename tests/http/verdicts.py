"""Asks for a verdict as the sync and as the connection test do, of a server that always gives one answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from integration.clock import Clock
from integration.errors import AuthRejected, Blame, NotSetUp, Rejected, ServerFault, ServiceError, Throttled
from integration.http.breaker import Breaker
from integration.http.transport import Answer, Route
from integration.mautic.access import MauticAccess, MemoryTokens, Method
from integration.mautic.client import MauticClient
from integration.operations.support.diagnostics import Step, mautic_steps, store_steps
from integration.store.access import StoreAccess
from integration.store.client import StoreClient
from tests.operations.diagnostics.conftest import Scripted, _serving
from tests.operations.diagnostics.signatures import Said

Sent = tuple[int, dict[str, str], bytes]
STORE, MAUTIC = ("store",), ("mautic",)
BOTH = (*STORE, *MAUTIC)
INDEX = (200, {"Content-Type": "application/json"}, b'{"name": "Shop", "namespaces": ["wp/v2", "wc/v3"]}')
#: What is asked at each end by the sync.
ASKED = {"store": "/wp-json/wc/v3/orders", "mautic": "/api/contacts"}
#: What the connection test asks first.
TESTED = {"store": "/wp-json/", "mautic": "/api/users/self"}


@dataclass(frozen=True)
class Case:
    """An answer and its verdict; `mark` is the mark of the table that shows it.

    In headers {path} and {host} are filled in with what was asked for. With `behind_index` the store's index answers
    well, so that the connection test comes as far as the key; `method` is how it signs in to Mautic.
    """

    name: str
    said: Said
    kind: type[ServiceError]
    code: str
    mark: str
    services: tuple[str, ...] = BOTH
    behind_index: bool = False
    method: Method = "basic"


def to(location: str, status: int = 302) -> Said:
    return Said(status, "", {"Location": location})


def plain(status: int, body: str, **headers: str) -> Said:
    return Said(status, body, {"Content-Type": "text/plain", **{k.replace("_", "-"): v for k, v in headers.items()}})


def told(status: int, body: object) -> Said:
    return Said(status, json.dumps(body), {"Content-Type": "application/json"})


BLAMES = {
    AuthRejected: Blame.CONNECTION,
    NotSetUp: Blame.CONNECTION,
    Throttled: Blame.CONNECTION,
    ServerFault: Blame.NOBODY,
    Rejected: Blame.RECORD,
}


def asking(cases: Iterable[Case]) -> list[object]:
    """Return each case at each end of a connector where it makes sense."""
    return [pytest.param(case, service, id=f"{case.name}-{service}") for case in cases for service in case.services]


class Always(dict[str, Sent]):
    """Has the same answer for whatever is asked, but for paths with an answer of their own."""

    def __init__(self, answer: Sent, others: Mapping[str, Sent]) -> None:
        super().__init__({**others, "*": answer})

    def __contains__(self, key: object) -> bool:
        return key in self.keys() or str(key).startswith("/")

    def __getitem__(self, key: str) -> Sent:
        return super().__getitem__(key if key in self.keys() else "*")


@contextmanager
def server(case: Case, path: str) -> Iterator[Scripted]:
    """Let every path be answered with the case's answer, filled in for `path`, the store's index as the case says."""
    for one in _serving(Scripted()):
        host = one.url.partition("://")[2]
        headers = {k: v.replace("{host}", host).replace("{path}", path) for k, v in case.said.headers.items()}
        answer = (case.said.status, headers, case.said.body.encode())
        one.answers = Always(answer, {"/wp-json/": INDEX} if case.behind_index else {})
        yield one


def mautic_access(url: str, method: Method) -> MauticAccess:
    return MauticAccess(url, method, user="a", password="b", client_id="1_a", client_secret="b")


def of_sync(case: Case, service: str) -> ServiceError:
    with server(case, ASKED[service]) as one, pytest.raises(ServiceError) as caught:
        if service == "store":
            StoreClient(StoreAccess(one.url, "ck_1", "cs_1", rest_root=f"{one.url}/wp-json")).get("orders")
        else:
            MauticClient(mautic_access(one.url, case.method), MemoryTokens(), Clock()).get("contacts")
    return caught.value


def of_test(case: Case, service: str) -> Step:
    with server(case, TESTED[service]) as one:
        if service == "store":
            steps = store_steps(StoreAccess(one.url, "ck_1", "cs_1"), Route(read_timeout=5), writes=True, clock=Clock())
        else:
            known = mautic_access(one.url, case.method)
            steps = mautic_steps(known, MemoryTokens(), (), Clock(), Route(read_timeout=5))
        return next(step for step in steps if step.state == "failed")


def held_error(error: ServiceError, service: str) -> ServiceError:
    """Return the error that the hold shows once the breaker has opened for this one."""
    held: list[ServiceError] = []
    breaker = Breaker(service, Clock(), held.append, lambda: None)
    for _ in range(3):
        breaker.failed(error)
    (found,) = held
    return found


def answer_of(case: Case) -> Answer:
    """Return the case's answer as the judge gets it, asked for at http://a.test/x/y."""
    headers = {k.lower(): v.format(host="a.test", path="/x/y") for k, v in case.said.headers.items()}
    headers = {k: v.replace("127.0.0.1", "a.test") for k, v in headers.items()}
    return Answer(case.said.status, headers, case.said.body.encode(), 0.1, "http://a.test/x/y")
