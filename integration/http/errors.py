"""The border where requests' exceptions become ours, and the guard that looks at where a connection leads."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import weakref
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from integration.errors import NotSetUp, Unreachable
from integration.http.total_time import TookTooLong, Watchdog
from integration.http.trust import NoAuthority, context_of

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: IPv6 networks whose last four bytes are an IPv4 address that a gateway calls.
_GATEWAYS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
#: Of these, and of 6to4 and Teredo, no real server is reached; a gateway on the way may lead anywhere.
_TUNNELS = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "::/96", "2002::/16", "2001::/32")))
_RESERVED_V4 = ipaddress.ip_network("240.0.0.0/4")
FAILURES = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,
)


class PrivateAddress(requests.exceptions.InvalidURL):
    """The name leads to an address that may not be called."""


class TooLarge(requests.exceptions.RequestException):
    """The answer is larger than any real one."""


def check_peer(host: str, peer: str, allowed: tuple[str, ...]) -> None:
    """Raise PrivateAddress when `peer` is not public and not in `allowed`: hosts, networks, or "*" for all.

    What no server has (link-local, multicast and reserved addresses) is refused whatever is allowed. An IPv4 address
    inside an IPv6 one counts too.
    """
    address = ipaddress.ip_address(peer.split("%")[0])
    inner = _inner(address)
    for each in (address, inner) if inner is not None else (address,):
        if _is_nobodys(each):
            raise PrivateAddress(f"{host} leads to the reserved address {peer}")
    if not _is_public(address, inner) and not _is_allowed(host, inner or address, allowed):
        raise PrivateAddress(f"{host} leads to the private address {peer}")


def _inner(address: _Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, None where it stands for itself."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback or address.is_unspecified:
        return None
    teredo = address.teredo
    told = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
    if told is None and any(address in network for network in _GATEWAYS):
        told = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return told


def _is_nobodys(address: _Address) -> bool:
    reserved = isinstance(address, ipaddress.IPv4Address) and address in _RESERVED_V4
    return reserved or address.is_link_local or address.is_multicast or address.is_unspecified


def _is_public(address: _Address, inner: ipaddress.IPv4Address | None) -> bool:
    tunnel = address.version == 6 and any(address in network for network in _TUNNELS)
    return (inner or address).is_global and (inner is None or not tunnel)


def _is_allowed(host: str, address: _Address, allowed: tuple[str, ...]) -> bool:
    if "*" in allowed or host.lower().strip("[]") in allowed:
        return True
    networks = [ipaddress.ip_network(each) for each in allowed if "/" in each]
    return any(address in network for network in networks)


class _Guard:
    """Mixed into urllib3's connections: looks at the peer before anything is sent."""

    private_allowed: tuple[str, ...] = ("*",)
    #: Weak: urllib3 keeps the connections of a pool until the pool is gone, which the adapter holds.
    adapter: weakref.ref[GuardedAdapter]

    def getresponse(self) -> Any:
        adapter = self.adapter()
        if adapter is not None and adapter.watchdog is not None:
            adapter.watchdog.watch(self.sock)  # type: ignore[attr-defined]  # urllib3's connection is the next class
        return super().getresponse()  # type: ignore[misc]  # ditto

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's connection is the next class
        try:
            check_peer(str(self.host), sock.getpeername()[0], self.private_allowed)  # type: ignore[attr-defined]  # ditto
        except PrivateAddress:
            sock.close()
            raise
        return sock


class GuardedAdapter(HTTPAdapter):
    """An adapter without retries whose connections check where they lead; `watchdog` limits the call under way.

    `ca` is the PEM text of authorities that are trusted beside the public ones. Raises NoAuthority when it is none.
    """

    def __init__(self, private_allowed: tuple[str, ...], ca: str | None = None) -> None:
        self.watchdog: Watchdog | None = None
        self._trusted: dict[str, Any] = {"ssl_context": context_of(ca)} if ca else {}
        known = {"private_allowed": private_allowed, "adapter": weakref.ref(self)}
        self._classes = {
            "http": type("GuardedHTTP", (_Guard, HTTPConnection), known),
            "https": type("GuardedHTTPS", (_Guard, HTTPSConnection), known),
        }
        super().__init__(max_retries=0, pool_maxsize=8)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give each pool the guarded connection class of its scheme, and those of https what they trust."""
        super().init_poolmanager(*args, **{**kwargs, **self._trusted})
        classes = dict(self.poolmanager.pool_classes_by_scheme)
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type(pool.__name__, (pool,), {"ConnectionCls": self._classes[scheme]})
            for scheme, pool in classes.items()
        }


NAMES = {"store": "The store", "mautic": "Mautic"}


def translate(service: str, error: BaseException, *, own_authority: bool = False) -> Unreachable | NotSetUp:
    """Return our error for one of requests', urllib3's or the socket's: the only border where this happens.

    With `own_authority` somebody has named whom to trust, so a signer that nobody knows is another one than that.
    """
    name = NAMES.get(service, service)
    links = _links(error)
    texts = " ".join(repr(link) for link in links)
    if any(isinstance(link, PrivateAddress) for link in links):
        return NotSetUp(service, "private_address", f"{name}'s address leads into a private network.", _PRIVATE_HINT)
    if isinstance(error, NoAuthority):
        return NotSetUp(service, "authority_unread", f"{name}'s {error}", f"Paste the certificate {PASTE_AT}.")
    for known, code, sentence, hint, sent in _BORDER:
        if isinstance(error, known[0]) and (not known[1] or re.search(known[1], texts, re.IGNORECASE)):
            if code == "self_signed" and own_authority:
                code, sentence, hint = _OTHER_AUTHORITY
            return Unreachable(service, code, f"{name} {sentence}", hint, sent=sent)
    if isinstance(error, _BAD_ADDRESSES):
        return NotSetUp(
            service, "bad_address", f"{name}'s address cannot be used.", "Check how the address is written."
        )
    return Unreachable(
        service, "unreachable", f"{name} could not be reached.", "It is tried again by itself.", sent=True
    )


_PRIVATE_HINT = "Use the public address, or name the host in the setting PRIVATE_HOSTS."
_BAD_ADDRESSES = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    urllib3.exceptions.LocationValueError,
    UnicodeError,
)
_R = requests.exceptions
#: Where a person says whom to trust.
PASTE_AT = "under “Own certificate authority” on the Connection tab"
_OTHER_AUTHORITY = (
    "foreign_authority",
    "shows a certificate that the authority on the Connection tab has not signed.",
    f"Paste the certificate of the authority that signed it {PASTE_AT}.",
)
_SELF_SIGNED = r"self.signed|unable to get local issuer"
_NO_NAME = r"NameResolutionError|getaddrinfo|Name or service not known|nodename nor servname|No address associated"
_CUT = (
    r"Connection aborted|RemoteDisconnected|ConnectionReset|Connection broken|IncompleteRead|BrokenPipe|reset by peer"
)
_BORDER: tuple[tuple[tuple[Any, str], str, str, str, bool], ...] = (
    (
        (TooLarge, ""),
        "too_large",
        "sent an answer that is too large to be real.",
        "Look at what the address serves.",
        True,
    ),
    (
        (TookTooLong, ""),
        "timeout",
        "did not send its answer in the time that one call may take.",
        "It is tried again by itself.",
        True,
    ),
    (
        (_R.SSLError, _SELF_SIGNED),
        "self_signed",
        "shows a certificate that nobody known has signed.",
        f"Install a proper certificate, or paste the authority that signed it {PASTE_AT}.",
        False,
    ),
    (
        (_R.SSLError, ""),
        "tls",
        "could not agree on a secure connection.",
        "Check the certificate: its dates, its name and its chain.",
        False,
    ),
    (
        (_R.ConnectTimeout, ""),
        "timeout",
        "did not accept the connection in time.",
        "Check address and firewall.",
        False,
    ),
    ((_R.ReadTimeout, ""), "timeout", "did not answer in time.", "It is tried again by itself.", True),
    (
        (_R.ConnectionError, _NO_NAME),
        "dns",
        "could not be found: its name does not resolve.",
        "Check the spelling of the address.",
        False,
    ),
    (
        (_R.ConnectionError, r"refused|Errno 111"),
        "refused",
        "refused the connection.",
        "Check that the server runs and that the port is right.",
        False,
    ),
    (
        (_R.ConnectionError, r"NewConnectionError"),
        "unreachable",
        "could not be reached.",
        "Check address, network and firewall; it is tried again by itself.",
        False,
    ),
    (
        (_R.ConnectionError, r"Read timed out"),
        "timeout",
        "did not answer in time.",
        "It is tried again by itself.",
        True,
    ),
    (
        (_R.ConnectionError, _CUT),
        "cut",
        "closed the connection before the answer was complete.",
        "It is tried again.",
        True,
    ),
    ((_R.ChunkedEncodingError, ""), "cut", "cut its answer short.", "It is tried again by itself.", True),
    ((_R.ContentDecodingError, ""), "cut", "sent an answer that cannot be decoded.", "It is tried again.", True),
)


def _links(error: BaseException) -> list[BaseException]:
    """Return the error and what is behind it: urllib3 wraps what a connection raises, some of it in `args` only."""
    found: list[BaseException] = []
    open_ = [error]
    while open_ and len(found) < 20:
        current = open_.pop(0)
        if not any(current is one for one in found):
            found.append(current)
            behind = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
            open_ += [one for one in behind if isinstance(one, BaseException)]
    return found
