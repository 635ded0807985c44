"""Replays recorded requests against the stand-in, keeping the ids of contacts in step."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from integration.sandbox.mautic import MauticServer

RECORDINGS = Path(__file__).parents[1] / "recordings"
FOLDER = RECORDINGS / "mautic"
INDEX = (FOLDER / "INDEX.txt").read_text().split()
#: Below this the stand-in gives contacts the recorded ids; from here on simultaneous requests mixed them.
MIXED_FROM = 245
ID_KEYS = frozenset({"id", "lead_id", "contactId", "company_id"})
LIMITED_PASSWORD = "limited-sandbox"


@dataclass
class Answer:
    """What was answered: status, headers in lower case, text."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        """Return the JSON, or the text where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return self.text


@dataclass
class Exchange:
    """One recorded request with its recorded answer."""

    request: dict[str, Any]
    recorded: Answer


def load(name: str, folders: tuple[Path, ...] = (FOLDER,)) -> list[Exchange]:
    """Return the exchanges of a recording, from the first folder that has it."""
    path = next(path for folder in folders if (path := folder / f"{name}.json").exists())
    parsed = json.loads(path.read_text("utf-8"))
    return [Exchange(each["request"], _recorded(each["response"])) for each in parsed["exchanges"]]


def _recorded(response: dict[str, Any]) -> Answer:
    headers = {name.lower(): value for name, value in response["headers"]}
    return Answer(response["status"], headers, response["body"] or "")


@dataclass
class Replay:
    """A session against one stand-in; `answers` holds (recorded, got) per recording."""

    server: MauticServer
    session: requests.Session = field(default_factory=requests.Session)
    ids: dict[int, int] = field(default_factory=dict)
    answers: dict[str, list[tuple[Answer, Answer]]] = field(default_factory=dict)
    token: str = ""
    folders: tuple[Path, ...] = (FOLDER,)

    def load(self, name: str) -> list[Exchange]:
        """Return the exchanges of a recording."""
        return load(name, self.folders)

    def play(self, name: str) -> None:
        """Send the requests of a recording one after another."""
        self.answers[name] = [self.exchange(each) for each in self.load(name)]

    def exchange(self, exchange: Exchange) -> tuple[Answer, Answer]:
        """Send one recorded request; return the recorded answer with this session's ids, and what was got."""
        got = self.send(exchange.request)
        self._learn(exchange.recorded.body, got.body)
        return self._translated(exchange.recorded), got

    def send(self, request: dict[str, Any]) -> Answer:
        """Send a request as it was recorded."""
        response = self.session.request(
            request["method"],
            self.server.url + self._path(request["path"]),
            data=self._body(request.get("body")),
            headers={**_headers(request["headers"]), **self._credentials(request.get("auth", ""))},
            allow_redirects=False,
            timeout=30,
        )
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content.decode("utf-8"))

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request of our own, as the administrator."""
        text = None if body is None else json.dumps(body)
        return self.send(
            {"method": method, "path": path, "headers": {"Content-Type": "application/json"}, "body": text}
        )

    def _path(self, path: str) -> str:
        path = re.sub(r"access_token=\w+", f"access_token={self.token}", path)
        path = re.sub(r"(?<=/users/)2(?=/)", str(max(self.server.state.users)), path)
        return re.sub(r"(?<=/contacts/)\d+|(?<=/contact/)\d+", lambda match: str(self._id(int(match[0]))), path)

    def _id(self, number: int) -> int:
        return self.ids.get(number, number)

    def _body(self, body: str | None) -> bytes | None:
        if not body:
            return None
        known = self.server.credentials
        body = body.replace("<client_secret>", known.client_secret).replace("<password>", LIMITED_PASSWORD)
        try:
            parsed = json.loads(body)
        except ValueError:
            return body.encode()
        return json.dumps(self._sent(parsed)).encode()

    def _sent(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._sent(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {key: self._sent_value(key, each) for key, each in value.items()}

    def _sent_value(self, key: str, value: Any) -> Any:
        if key in ("id", "lead") and isinstance(value, int):
            return self._id(value)
        if key == "ids" and isinstance(value, list):
            return [self._id(each) for each in value]
        if key == "role":
            return max(self.server.state.roles)
        return self._sent(value)

    def _credentials(self, auth: str) -> dict[str, str]:
        known = self.server.credentials
        if auth.startswith("bearer"):
            tokens = {"bearer, unknown token": "nosuchtoken", "bearer, empty": ""}
            return {"Authorization": f"Bearer {tokens.get(auth, self.token)}"}
        pairs = {
            "basic, wrong password": (known.user, "wrong"),
            "basic, unknown user": ("nobody", "wrong"),
            "basic (client id:secret)": (known.client_id, known.client_secret),
            "basic (limited user)": ("limited", LIMITED_PASSWORD),
        }
        if auth in ("none", "token in query"):
            return {}
        return {"Authorization": requests.auth._basic_auth_str(*pairs.get(auth, (known.user, known.password)))}

    def _learn(self, recorded: Any, got: Any) -> None:
        old, new = _contact_id(recorded), _contact_id(got)
        if old and new and old >= MIXED_FROM:
            self.ids[old] = new

    def _translated(self, recorded: Answer) -> Answer:
        headers = dict(recorded.headers)
        if "location" in headers:
            headers["location"] = self._path(headers["location"])
        body = recorded.body
        if isinstance(body, dict | list):
            return Answer(recorded.status, headers, json.dumps(self._expected(body)))
        return Answer(recorded.status, headers, recorded.text)

    def _expected(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._expected(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {self._expected_id(key): self._expected_value(key, each) for key, each in value.items()}

    def _expected_value(self, key: str, value: Any) -> Any:
        return self._expected_id(value) if key in ID_KEYS else self._expected(value)

    def _expected_id(self, value: Any) -> Any:
        if isinstance(value, str) and value.isdigit():
            return str(self._id(int(value)))
        return self._id(value) if isinstance(value, int) else value

    def fetch_token(self) -> None:
        """Get a bearer token for the requests that follow."""
        known = self.server.credentials
        sent = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.client_secret}
        self.token = requests.post(f"{self.server.url}/oauth/v2/token", data=sent, timeout=30).json()["access_token"]

    def at_once(self, exchanges: list[Exchange]) -> list[tuple[Answer, Answer]]:
        """Send requests so that each has looked before any has inserted, and return their answers in order."""
        rule = self.server.faults.race(30)
        got: list[Answer | None] = [None] * len(exchanges)

        def run(place: int) -> None:
            other = Replay(self.server, ids=self.ids, token=self.token)
            got[place] = other.send(exchanges[place].request)

        threads = [threading.Thread(target=run, args=(place,)) for place in range(len(exchanges))]
        for thread in threads:
            thread.start()
        wait_for(lambda: rule.used == len(exchanges))
        self.server.faults.remove(rule)
        for thread in threads:
            thread.join()
        pairs = list(zip(exchanges, got, strict=True))
        for exchange, answer in pairs:
            self._learn(exchange.recorded.body, answer.body if answer else None)
        return [(self._translated(each.recorded), answer) for each, answer in pairs if answer]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until a condition holds; AssertionError if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It never came to that."
        time.sleep(0.005)


def _headers(recorded: Any) -> dict[str, str]:
    kept = ("content-type", "accept")
    return {name: value for name, value in dict(recorded).items() if name.lower() in kept}


def _contact_id(body: Any) -> int | None:
    contact = body.get("contact") if isinstance(body, dict) else None
    return contact.get("id") if isinstance(contact, dict) else None
